"""Kerberos between a client and a distribution center (RFC 4120), composed with scapy: to port 88 and back."""

from collections.abc import Sequence

from scapy.asn1.asn1 import ASN1_BIT_STRING, ASN1_GENERAL_STRING, ASN1_GENERALIZED_TIME, ASN1_INTEGER
from scapy.layers.inet import IP, UDP
from scapy.layers.kerberos import (
    KRB_AS_REP,
    KRB_AS_REQ,
    KRB_ERROR,
    KRB_KDC_REQ_BODY,
    KRB_TGS_REP,
    KRB_TGS_REQ,
    EncryptedData,
    Kerberos,
    KRB_Ticket,
    PrincipalName,
)
from scapy.layers.l2 import Ether
from scapy.packet import Packet

REALM = "TOWN.EXAMPLE"
CLIENT, CENTER = "192.0.2.21", "192.0.2.5"
AES256, RC4 = 18, 23
PREAUTH_REQUIRED = 25


def _name(*parts: str) -> PrincipalName:
    return PrincipalName(nameType=ASN1_INTEGER(2), nameString=[ASN1_GENERAL_STRING(part) for part in parts])


def _ticket(service: Sequence[str], cipher: int) -> KRB_Ticket:
    secret = EncryptedData(etype=cipher, cipher=b"\xaa" * 120)
    return KRB_Ticket(realm=ASN1_GENERAL_STRING(REALM), sname=_name(*service), encPart=secret)


def request(kind: type[Packet], nonce: int, service: Sequence[str], client: str | None = None) -> Packet:
    """A request for a ticket; who asks for one of a service is in another ticket."""
    end = ASN1_GENERALIZED_TIME("20370913024805Z")
    body = KRB_KDC_REQ_BODY(
        kdcOptions=ASN1_BIT_STRING("01000000100000000000000000000000"),
        cname=_name(client) if client else None,
        realm=ASN1_GENERAL_STRING(REALM),
        sname=_name(*service),
        till=end,
        rtime=end,
        nonce=ASN1_INTEGER(nonce),
        etype=[ASN1_INTEGER(AES256), ASN1_INTEGER(RC4)],
    )
    return kind(padata=[], reqBody=body)


def reply(kind: type[Packet], client: str, service: Sequence[str], cipher: int) -> Packet:
    """A ticket that is encrypted with ``cipher``."""
    return kind(
        crealm=ASN1_GENERAL_STRING(REALM),
        cname=_name(client),
        ticket=_ticket(service, cipher),
        encPart=EncryptedData(etype=AES256, cipher=b"\xbb" * 120),
    )


def refusal(code: int, service: Sequence[str], words: str | None = None) -> Packet:
    """An error."""
    return KRB_ERROR(
        stime=ASN1_GENERALIZED_TIME("20260301091407Z"),
        susec=ASN1_INTEGER(1),
        errorCode=code,
        realm=ASN1_GENERAL_STRING(REALM),
        sname=_name(*service),
        eText=ASN1_GENERAL_STRING(words) if words else None,
    )


def frames(port: int, said: Sequence[tuple[str, Packet]]) -> list[Packet]:
    """What ``client`` and ``center`` say, in turn, as frames."""
    ends = {"client": ((CLIENT, port), (CENTER, 88)), "center": ((CENTER, 88), (CLIENT, port))}
    return [
        Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
        / IP(src=ends[who][0][0], dst=ends[who][1][0])
        / UDP(sport=ends[who][0][1], dport=ends[who][1][1])
        / bytes(Kerberos(root=message))
        for who, message in said
    ]


def working_day(client: str = "maria") -> list[Packet]:
    """A log-in that has to prove itself, a share's ticket under AES, and one of a database under RC4."""
    krbtgt, share, database = ("krbtgt", REALM), ("cifs", "files.town.example"), ("MSSQLSvc", "db.town.example:1433")
    return [
        *frames(
            50_001,
            [
                ("client", request(KRB_AS_REQ, 1, krbtgt, client)),
                ("center", refusal(PREAUTH_REQUIRED, krbtgt, "NEEDED_PREAUTH")),
                ("client", request(KRB_AS_REQ, 2, krbtgt, client)),
                ("center", reply(KRB_AS_REP, client, krbtgt, AES256)),
            ],
        ),
        *frames(
            50_002,
            [
                ("client", request(KRB_TGS_REQ, 3, share)),
                ("center", reply(KRB_TGS_REP, client, share, AES256)),
            ],
        ),
        *frames(
            50_003,
            [
                ("client", request(KRB_TGS_REQ, 4, database)),
                ("center", reply(KRB_TGS_REP, client, database, RC4)),
            ],
        ),
    ]
