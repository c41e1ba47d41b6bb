"""What stands around every page: language, theme, who is signed in, where one may go, notices of the act before."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request

from vigla_console.context import RequestContext
from vigla_console.permissions import Permission
from vigla_console.tenants.models import User
from vigla_console.web.i18n import DEFAULT, LANGUAGES
from vigla_console.web.labels import N_
from vigla_console.web.notices import COOKIE as NOTICE_COOKIE
from vigla_console.web.notices import Notice

LANGUAGE_COOKIE = "vigla_language"
THEME_COOKIE = "vigla_theme"
THEMES = ("auto", "light", "dark")


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry of the navigation; ``key`` is its second letter after `KeyG`, for the centre."""

    href: str
    label: str
    key: str = ""


MUNICIPAL_NAV: Sequence[tuple[Permission, NavItem]] = (
    (Permission.ALERTS_READ, NavItem("/", N_("Home"), "KeyH")),
    (Permission.ALERTS_READ, NavItem("/alerts", N_("Alerts"), "KeyA")),
    (Permission.ALERTS_READ, NavItem("/incidents", N_("Incidents"), "KeyI")),
    (Permission.SENSORS_READ, NavItem("/sources", N_("Sources and sensor"))),
    (Permission.AUDIT_READ, NavItem("/audit", N_("Audit log"))),
)

CENTRAL_NAV: Sequence[tuple[Permission, NavItem]] = (
    (Permission.PICTURE_READ, NavItem("/soc", N_("Operational picture"), "KeyS")),
    (Permission.PICTURE_READ, NavItem("/soc/queue", N_("Queue"), "KeyA")),
    (Permission.ALERTS_READ, NavItem("/incidents", N_("Incidents"), "KeyI")),
    (Permission.CLUSTERS_READ, NavItem("/soc/clusters", N_("Common patterns"))),
    (Permission.PICTURE_READ, NavItem("/soc/municipalities", N_("Municipalities"))),
    (Permission.SENSORS_READ, NavItem("/sources", N_("Sensor fleet"))),
    (Permission.AUDIT_READ, NavItem("/audit", N_("Audit log"))),
)


@dataclass(frozen=True, slots=True)
class Frame:
    """``place`` is the body whose data is shown; ``central`` turns on the centre's bar and keyboard."""

    language: str
    theme: str
    nonce: str
    path: str
    here: str
    user: User | None = None
    csrf_token: str = ""
    central: bool = False
    place: str = ""
    nav: tuple[NavItem, ...] = ()
    notice: Notice | None = None
    pack: str = ""


def language_of(request: Request, user: User | None) -> str:
    """The profile's language, else the cookie's, else Greek."""
    wanted = user.language if user is not None else request.cookies.get(LANGUAGE_COOKIE, "")
    return wanted if wanted in LANGUAGES else DEFAULT


def theme_of(request: Request) -> str:
    wanted = request.cookies.get(THEME_COOKIE, "")
    return wanted if wanted in THEMES else "auto"


def frame_of(request: Request, context: RequestContext | None) -> Frame:
    """The frame for this request; without a context (an early error) it is a public one without scripts."""
    user = context.session.user if context is not None and context.session is not None else None
    language = language_of(request, user)
    query = request.url.query
    common = Frame(
        language=language,
        theme=theme_of(request),
        nonce=context.nonce if context is not None else "",
        path=request.url.path,
        here=f"{request.url.path}?{query}" if query else request.url.path,
        notice=Notice.read(request.cookies.get(NOTICE_COOKIE, "")),
    )
    if context is None or user is None:
        return common
    scope = context.scope
    central = scope.central
    offered = CENTRAL_NAV if central else MUNICIPAL_NAV
    return Frame(
        language=language,
        theme=common.theme,
        nonce=common.nonce,
        path=common.path,
        here=common.here,
        user=user,
        csrf_token=context.csrf_token,
        central=central,
        place=place_of(context, language),
        nav=tuple(item for needs, item in offered if scope.may_somewhere(needs)),
        notice=common.notice,
        pack=context.rules.version,
    )


def place_of(context: RequestContext, language: str) -> str:
    """The municipality's full name if there is exactly one; several are joined, the centre has none."""
    scope = context.scope
    if scope.central:
        return ""
    return ", ".join(context.tenants.get(tenant).title(language) for tenant in sorted(scope.tenants))
