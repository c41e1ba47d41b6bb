"""Regroups our events (Zeek's names) into the shape of Suricata's EVE records, so that suricata-verify's filters can
judge them.

It renames and regroups, and computes nothing that the sensor did not decode. What Suricata sets by its own run
(``flow.reason``, ``flow.alerted``, ``pkt_src``) is constant in a replay. Usage: ``eve.py CAPTURE`` prints EVE lines;
``eve.py -`` reads events from standard input.
"""

from __future__ import annotations

import ipaddress
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import Any

Event = dict[str, Any]

# Zeek's service names -> Suricata's app_proto.
APP_PROTO = {
    "dns": "dns",
    "http": "http",
    "ssl": "tls",
    "ssh": "ssh",
    "ftp": "ftp",
    "ftp-data": "ftp-data",
    "smtp": "smtp",
    "smb": "smb",
    "quic": "quic",
    "dhcp": "dhcp",
    "krb": "krb5",
    "krb_tcp": "krb5",
    "snmp": "snmp",
}
TLS_VERSION = {"SSLv3": "SSLv3", "TLSv10": "TLSv1", "TLSv11": "TLS 1.1", "TLSv12": "TLS 1.2", "TLSv13": "TLS 1.3"}
# Zeek's conn_state -> Suricata's tcp.state at the end of the flow.
TCP_STATE = {
    "S0": "syn_sent",
    "S1": "established",
    "SF": "closed",
    "REJ": "closed",
    "RSTO": "closed",
    "RSTR": "closed",
    "S2": "close_wait",
    "S3": "fin_wait2",
}


def address(text: str) -> str:
    """IPv6 in full, as EVE prints it."""
    parsed = ipaddress.ip_address(text)
    return parsed.exploded if parsed.version == 6 else text


def base(event: Event, kind: str, *, reply: bool = False) -> Event:
    orig, resp = ("dest", "src") if reply else ("src", "dest")
    record: Event = {"event_type": kind, "pkt_src": "wire/pcap"}
    if "id.orig_h" in event:
        record[f"{orig}_ip"] = address(event["id.orig_h"])
        record[f"{resp}_ip"] = address(event["id.resp_h"])
        record[f"{orig}_port"] = event["id.orig_p"]
        record[f"{resp}_port"] = event["id.resp_p"]
    if proto := event.get("proto"):
        record["proto"] = str(proto).upper()
    return record


def flow(event: Event) -> Event:
    record = base(event, "flow")
    service = str(event.get("service", "")).split(",")[0]
    if service:
        record["app_proto"] = APP_PROTO.get(service, service)
    state = str(event.get("conn_state", ""))
    answered = event.get("resp_pkts", 0) > 0
    tcp = event.get("proto") == "tcp"
    closed = tcp and TCP_STATE.get(state) == "closed"
    record["flow"] = {
        "pkts_toserver": event.get("orig_pkts", 0),
        "pkts_toclient": event.get("resp_pkts", 0),
        "age": int(event.get("duration", 0)),
        "state": "closed" if closed else "established" if answered else "new",
        "reason": "shutdown",
        "alerted": False,
    }
    if tcp and state in TCP_STATE:
        record["tcp"] = {"state": TCP_STATE[state]}
    if "vlan" in event:
        record["vlan"] = [event["vlan"], *([event["inner_vlan"]] if "inner_vlan" in event else [])]
    if event.get("proto") == "icmp":
        record["icmp_type"], record["icmp_code"] = record.pop("src_port"), record.pop("dest_port")
    return record


def dns(event: Event) -> Iterator[Event]:
    """Zeek logs a transaction, Suricata a message: the query and, where there was one, the response."""
    query = {"rrname": event.get("query", ""), "rrtype": event.get("qtype_name", "")}
    common = {"id": event.get("trans_id"), "queries": [query]}
    if "query" in event:
        yield {**base(event, "dns"), "dns": {**common, "type": "request"}}
    if "rcode" in event:
        answers = [
            {"rrname": None, "rdata": a, "ttl": int(t)}
            for a, t in zip(event.get("answers", []), event.get("TTLs", []), strict=False)
        ]
        flags = {flag.lower(): True for flag in ("AA", "TC", "RD", "RA") if event.get(flag)}
        response = {
            **common,
            **flags,
            "type": "response",
            "qr": True,
            "version": 3,
            "rcode": event.get("rcode_name"),
            "answers": answers,
        }
        yield {**base(event, "dns", reply=True), "dns": response}


def http(event: Event) -> Event:
    names = {
        "method": "http_method",
        "uri": "url",
        "host": "hostname",
        "user_agent": "http_user_agent",
        "referrer": "http_refer",
        "status_code": "status",
        "response_body_len": "length",
    }
    body = {theirs: event[ours] for ours, theirs in names.items() if ours in event}
    if "version" in event:
        body["protocol"] = f"HTTP/{event['version']}"
    record = base({**event, "proto": "tcp"}, "http")
    if "trans_depth" in event:
        record["tx_id"] = event["trans_depth"] - 1
    return {**record, "http": body}


def tls(event: Event) -> Event:
    body: Event = {}
    if "server_name" in event:
        body["sni"] = event["server_name"]
    if "version" in event:
        body["version"] = TLS_VERSION.get(event["version"], event["version"])
    if event.get("resumed"):
        body["session_resumed"] = True
    for ours, theirs in {"ja4": "ja4", "subject": "subject", "issuer": "issuerdn"}.items():
        if ours in event:
            body[theirs] = event[ours]
    if "next_protocol" in event:
        body["server_alpns"] = [event["next_protocol"]]
    return {**base({**event, "proto": "tcp"}, "tls"), "tls": body}


def ssh(event: Event) -> Event:
    body: Event = {}
    for end in ("client", "server"):
        # SSH-protoversion-softwareversion SP comments (RFC 4253, 4.2)
        _, _, rest = str(event.get(end, "")).partition("-")
        proto, _, software = rest.partition("-")
        if software:
            body[end] = {"proto_version": proto, "software_version": software.split(" ")[0]}
    return {**base({**event, "proto": "tcp"}, "ssh"), "ssh": body}


def dhcp(event: Event) -> Iterator[Event]:
    """Zeek logs a transaction, Suricata a message: what the event says of all of them stands in each."""
    names = {"mac": "client_mac", "host_name": "hostname", "assigned_addr": "assigned_ip", "lease_time": "lease_time"}
    body = {theirs: event[ours] for ours, theirs in names.items() if ours in event}
    for kind in event.get("msg_types", []):
        reply = kind in ("OFFER", "ACK", "NAK")
        type_ = {"type": "reply" if reply else "request", "dhcp_type": kind.lower()}
        yield {**base({**event, "proto": "udp"}, "dhcp"), "dhcp": {**type_, **body}}


def ftp(event: Event) -> Event:
    body: Event = {"reply_received": "yes" if "reply_code" in event else "no"}
    if event["command"] != "<init>":  # Zeek's name for what the greeting answers
        body["command"] = event["command"]
    if "reply_code" in event:
        body["completion_code"] = [str(event["reply_code"])]
        body["reply"] = [event["reply_msg"]]
    if not str(event.get("arg", "")).startswith("ftp://"):  # the whole address is Zeek's, not what was sent
        body["command_data"] = event.get("arg")
    if "data_channel.resp_p" in event:
        body["dynamic_port"] = event["data_channel.resp_p"]
        body["mode"] = "passive" if event["data_channel.passive"] else "active"
    return {**base({**event, "proto": "tcp"}, "ftp"), "ftp": body}


WEAK = {"des-cbc-crc", "des-cbc-md4", "des-cbc-md5", "rc4-hmac", "rc4-hmac-exp"}
NO_NAME = {"cname": "<empty>", "realm": "<empty>", "encryption": "<none>", "weak_encryption": False}


def krb5(event: Event) -> Iterator[Event]:
    """Zeek logs a request with its answer, Suricata each of both."""
    kind = event.get("request_type")
    cname, _, realm = event.get("client", "").rpartition("/")
    names = {"cname": cname or "<empty>", "realm": realm or "<empty>"}
    service = {"sname": event["service"]} if "service" in event else {}
    if "till" in event:
        yield {**base(event, "krb5"), "krb5": {**NO_NAME, **names, **service, "msg_type": f"KRB_{kind}_REQ"}}
    if event.get("success") is False:
        failed = {"error_code": event.get("error_msg"), "failed_request": f"KRB_{kind}_REQ"}
        yield {**base(event, "krb5", reply=True), "krb5": {**NO_NAME, **service, **failed, "msg_type": "KRB_ERROR"}}
    if event.get("success") is True:
        cipher = event.get("cipher")
        ticket = {"ticket_encryption": cipher, "ticket_weak_encryption": cipher in WEAK}
        body = {**names, **service, **ticket, "msg_type": f"KRB_{kind}_REP"}
        yield {**base(event, "krb5", reply=True), "krb5": body}


def smtp(event: Event) -> Event:
    """Suricata keeps the angle brackets of the envelope, and a list of what the headers say."""
    body: Event = {"helo": event["helo"]} if "helo" in event else {}
    body["mail_from"] = f"<{event.get('mailfrom', '')}>"
    if "rcptto" in event:
        body["rcpt_to"] = [f"<{one}>" for one in event["rcptto"]]
    email = {name: event[name] for name in ("from", "to", "cc", "date") if name in event}
    if "msg_id" in event:
        email["message_id"] = event["msg_id"]
    record = {**base({**event, "proto": "tcp"}, "smtp"), "tx_id": event["trans_depth"] - 1, "smtp": body}
    return {**record, "email": {"status": "PARSE_DONE", **email}} if email else record


LDAP = {"delete": "del", "modify DN": "mod_dn"}


def ldap(event: Event) -> Event:
    """One operation or search; what was asked for beyond it and found is not kept."""
    opcode = "search" if event["_path"] == "ldap_search" else event["opcode"].split(" ")[0]
    name = LDAP.get(event.get("opcode", ""), opcode)
    request: Event = {"message_id": event["message_id"], "operation": f"{name}_request"}
    if opcode == "search":
        request["search_request"] = {
            "base_object": event.get("base_object", ""),
            "attributes": event.get("attributes", []),
        }
    return {**base(event, "ldap"), "ldap": {"request": request}}


def records(events: Iterable[Event]) -> Iterator[Event]:
    for event in events:
        match event.get("_path"):
            case "conn":
                yield flow(event)
            case "dns":
                yield from dns(event)
            case "dhcp":
                yield from dhcp(event)
            case "ftp":
                yield ftp(event)
            case "kerberos":
                yield from krb5(event)
            case "http":
                yield http(event)
            case "ldap" | "ldap_search":
                yield ldap(event)
            case "smtp":
                yield smtp(event)
            case "ssh":
                yield ssh(event)
            case "ssl":
                yield tls(event)


def main() -> int:
    if sys.argv[1] == "-":
        lines: Iterable[bytes] = sys.stdin.buffer
        code = 0
    else:
        done = subprocess.run(
            [sys.executable, "-m", "vigla_sensor", "events", sys.argv[1]], stdout=subprocess.PIPE, check=False
        )
        lines, code = done.stdout.splitlines(), done.returncode
    for record in records(json.loads(line) for line in lines):
        print(json.dumps(record))
    return code


if __name__ == "__main__":
    raise SystemExit(main())
