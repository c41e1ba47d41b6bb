"""What codes are called: message ids (English) for every level, state, disposition, reason, verb and phase.

Tables only. `N_` marks an id for the catalog; a test holds every member of the enums against these tables.
"""

from collections.abc import Mapping

from vigla_console.incidents.models import Disposition, Phase, Reason, Severity, State, WaitingOn


def N_(message: str) -> str:  # noqa: N802 the name gettext tools look for
    """Marks ``message`` for extraction and returns it."""
    return message


SEVERITIES: Mapping[Severity, str] = {
    Severity.CRITICAL: N_("Critical"),
    Severity.HIGH: N_("High"),
    Severity.MEDIUM: N_("Medium"),
    Severity.LOW: N_("Low"),
    Severity.INFORMATIONAL: N_("Informational"),
}

# One letter on a tile of the map, where there is room for no more.
SEVERITY_LETTERS: Mapping[Severity, str] = {
    Severity.CRITICAL: N_("severity letter|C"),
    Severity.HIGH: N_("severity letter|H"),
    Severity.MEDIUM: N_("severity letter|M"),
    Severity.LOW: N_("severity letter|L"),
    Severity.INFORMATIONAL: N_("severity letter|I"),
}

STATES: Mapping[State, str] = {
    State.NEW: N_("New"),
    State.ACKNOWLEDGED: N_("Seen"),
    State.ESCALATED: N_("Help requested"),
    State.IN_INCIDENT: N_("In an incident"),
    State.CLOSED: N_("Closed"),
}

WAITING: Mapping[WaitingOn, str] = {
    WaitingOn.NOBODY: "",
    WaitingOn.SOC: N_("waiting for the SOC"),
    WaitingOn.MUNICIPALITY: N_("waiting for the municipality"),
}

DISPOSITIONS: Mapping[Disposition, str] = {
    Disposition.FALSE_POSITIVE: N_("False positive"),
    Disposition.TRUE_NO_IMPACT: N_("Real, without impact"),
    Disposition.TRUE_IMPACT: N_("Real, with impact"),
    Disposition.LEGITIMATE: N_("Legitimate activity"),
    Disposition.NOT_APPLICABLE: N_("Does not concern us"),
}

REASONS: Mapping[Reason, str] = {
    Reason.RULE_TOO_BROAD: N_("The rule is too broad"),
    Reason.WRONG_ASSET_DATA: N_("Wrong asset data"),
    Reason.DAMAGED_DATA: N_("Damaged data"),
    Reason.OUTDATED_INDICATOR: N_("Outdated indicator"),
    Reason.BLOCKED: N_("It was blocked"),
    Reason.STOPPED_IN_TIME: N_("We stopped it in time"),
    Reason.NOT_VULNERABLE: N_("The target is not vulnerable"),
    Reason.SERVICE_DOWN: N_("A service went down"),
    Reason.DATA_EXPOSED: N_("Data were exposed"),
    Reason.ACCOUNT_TAKEN: N_("An account was taken over"),
    Reason.MONEY_LOST: N_("Money was lost"),
    Reason.MAINTENANCE: N_("Maintenance"),
    Reason.SECURITY_TEST: N_("Security test"),
    Reason.CONTRACTOR: N_("Contractor"),
    Reason.BUSINESS_PROCESS: N_("Business process"),
    Reason.NO_SUCH_ASSET: N_("No such asset"),
    Reason.NOT_OUR_NETWORK: N_("Not our network"),
    Reason.DUPLICATE: N_("Duplicate"),
}

PHASES: Mapping[Phase, str] = {
    Phase.IDENTIFICATION: N_("Identification"),
    Phase.CONTAINMENT: N_("Containment"),
    Phase.ERADICATION: N_("Eradication"),
    Phase.RECOVERY: N_("Recovery"),
    Phase.LESSONS: N_("Lessons learned"),
}

# What the history says a person did; an unknown verb is shown as its code.
VERBS: Mapping[str, str] = {
    "ack": N_("saw it"),
    "escalate": N_("asked for help"),
    "answer": N_("answered"),
    "close": N_("closed it"),
    "promote": N_("opened an incident"),
    "assign": N_("took it on"),
    "reopen": N_("reopened it"),
    "undo": N_("undid the last act"),
    "phase": N_("changed the phase"),
    "set_phase": N_("changed the phase"),
    "close_incident": N_("closed the incident"),
    "open": N_("opened it"),
    "join": N_("joined the incident"),
}

OPENED_BY: Mapping[str, str] = {
    "critical": N_("Opened by itself: a critical alert"),
    "two_tactics_high": N_("Opened by itself: two attack tactics at level high on one entity within 24 hours"),
    "three_tactics_medium": N_("Opened by itself: three attack tactics at level medium on one entity within 24 hours"),
    "person": N_("Opened by a person"),
}

SIGNIFICANCE: Mapping[str, str] = {"yes": N_("Yes"), "no": N_("No"), "unsure": N_("Unsure")}

STEPS: Mapping[str, str] = {
    "spread": N_("seen in other municipalities too"),
    "innocent_history": N_("it has usually ended innocently here"),
}

# What the history keeps beside a verb; other details are for machines.
DETAILS: Mapping[str, str] = {
    "disposition": N_("How it ended"),
    "reason": N_("Reason"),
    "who": N_("Who did it"),
    "ticket": N_("Request or ticket"),
    "significant": N_("Significant"),
    "with": N_("Together with"),
    "undone": N_("Undone"),
}


TYPED = frozenset({"who", "ticket", "with"})


def detail(key: str, value: str) -> str:
    """The message id of a coded detail; an unknown code comes back as it is."""
    coded: dict[str, Mapping[str, str]] = {
        "disposition": {code.value: name for code, name in DISPOSITIONS.items()},
        "reason": {code.value: name for code, name in REASONS.items()},
        "significant": SIGNIFICANCE,
        "undone": VERBS,
    }
    return coded.get(key, {}).get(value, value)


SENSOR_STATES: Mapping[str, str] = {
    "live": N_("alive"),
    "silent": N_("silent"),
    "never": N_("never heard of"),
    "quarantined": N_("quarantined"),
}

# Of each delivery the hub counts what became of its alerts; another counter is shown by its own name.
COUNTERS: Mapping[str, str] = {
    "created": N_("alerts taken in"),
    "duplicate": N_("sent again, already there"),
    "conflict": N_("the same number with other content"),
}

# Acts of the audit log; one of a verb is `group.<verb>` or `incident.<verb>`.
ACTS: Mapping[str, str] = {
    "alert.view": N_("looked at an alert"),
    "group.view": N_("looked at an alert"),
    "incident.view": N_("looked at an incident"),
    "cluster.view": N_("looked at a common pattern"),
    "session.begin": N_("signed in"),
    "session.end": N_("signed out"),
    "account.add": N_("added an account"),
    "account.password": N_("set a password"),
    "sensor.add": N_("added a sensor"),
    "sensor.rotate": N_("changed a sensor's key"),
    "sensor.quarantine": N_("put a sensor into quarantine"),
    "sensor.release": N_("released a sensor from quarantine"),
    "delegation.give": N_("lent the SOC the right to close"),
    "delegation.revoke": N_("took back the right to close"),
    "ingest.tenant_mismatch": N_("sent an alert for another municipality"),
    "audit.heads": N_("sealed the audit chains"),
    "refused": N_("was refused"),
}


def act(code: str) -> str:
    """The message id of an audit act; empty for an unknown one, which is then shown by its code alone."""
    return ACTS.get(code) or VERBS.get(code.partition(".")[2], "")


ENTITY_KINDS: Mapping[str, str] = {
    "user": N_("user"),
    "host": N_("computer"),
    "ip": N_("address"),
    "domain": N_("domain"),
    "url": N_("link"),
    "hash": N_("file"),
    "ja4": N_("TLS fingerprint"),
    "sensor": N_("sensor"),
    "other": N_("value"),
}

# ATT&CK enterprise tactics by id; names as MITRE's matrix has them.
TACTICS: Mapping[str, str] = {
    "TA0043": N_("Reconnaissance"),
    "TA0042": N_("Resource Development"),
    "TA0001": N_("Initial Access"),
    "TA0002": N_("Execution"),
    "TA0003": N_("Persistence"),
    "TA0004": N_("Privilege Escalation"),
    "TA0005": N_("Defense Evasion"),
    "TA0006": N_("Credential Access"),
    "TA0007": N_("Discovery"),
    "TA0008": N_("Lateral Movement"),
    "TA0009": N_("Collection"),
    "TA0011": N_("Command and Control"),
    "TA0010": N_("Exfiltration"),
    "TA0040": N_("Impact"),
}

# What a rule's condition asks, by the operator of `vigla.matched`; its value follows, except after those of `UNVALUED`.
OPERATORS: Mapping[str, str] = {
    "eq": N_("condition|is"),
    "contains": N_("condition|contains"),
    "startswith": N_("condition|begins with"),
    "endswith": N_("condition|ends with"),
    "wildcard": N_("condition|fits the pattern"),
    "num": N_("condition|is the number"),
    "bool": N_("condition|is"),
    "null": N_("condition|has no value"),
    "empty": N_("condition|is empty"),
    "exists": N_("condition|is there"),
    "re": N_("condition|fits the regular expression"),
    "cidr": N_("condition|is in the network"),
    "lt": N_("condition|is less than"),
    "lte": N_("condition|is at most"),
    "gt": N_("condition|is more than"),
    "gte": N_("condition|is at least"),
    "fieldref": N_("condition|agrees with the field"),
    "list": N_("condition|is in the list"),
    "time": N_("condition|has in its time"),
}
UNVALUED = frozenset({"null", "empty", "exists"})

# What the number of a correlation is, by its type; of those that only count events nothing is said twice.
MEASURES: Mapping[str, str] = {
    "value_count": N_("measure|different values"),
    "value_sum": N_("measure|sum"),
    "value_avg": N_("measure|average"),
    "value_percentile": N_("measure|percentile"),
    "value_median": N_("measure|median"),
}
