"""Signing in and out, language and theme."""

from dataclasses import dataclass

from fastapi import Request, Response

from vigla_console.context import Context
from vigla_console.people.models import LoginRefused, Throttled
from vigla_console.permissions import Permission
from vigla_console.routing import Routes
from vigla_console.web.forms import Problem, Text
from vigla_console.web.frame import LANGUAGE_COOKIE, THEME_COOKIE, THEMES
from vigla_console.web.i18n import LANGUAGES
from vigla_console.web.labels import N_
from vigla_console.web.notices import Notice
from vigla_console.web.pages import Pages, local

_A_YEAR = 365 * 24 * 3600
_REFUSED = N_("Wrong name or password.")
_THROTTLED = N_("Too many failed attempts. Try again in a few minutes.")


@dataclass(frozen=True, slots=True)
class SessionPages:
    """`/login`, `/logout`, `/language`, `/profile`, `/accessibility`."""

    pages: Pages

    def routes(self) -> Routes:
        routes = Routes()
        routes.get("/login", needs=Permission.PUBLIC)(self.login)
        routes.post("/login", needs=Permission.PUBLIC)(self.sign_in)
        routes.post("/logout", needs=Permission.SIGNED_IN)(self.sign_out)
        routes.post("/language", needs=Permission.PUBLIC)(self.set_language)
        routes.get("/profile", needs=Permission.SIGNED_IN)(self.profile)
        routes.post("/profile", needs=Permission.SIGNED_IN)(self.set_profile)
        routes.get("/accessibility", needs=Permission.PUBLIC)(self.accessibility)
        return routes

    def login(self, request: Request, context: Context, back: str = "/") -> Response:
        if context.session is not None:
            return self.pages.see_other(context, local(back))
        return self.pages.page(request, context, "login.html", problems=[], login="", back=local(back))

    def sign_in(
        self,
        request: Request,
        context: Context,
        login: Text = "",
        password: Text = "",
        back: Text = "/",
    ) -> Response:
        remote = request.client.host if request.client else ""
        try:
            signed_in = context.sessions.sign_in(login.strip(), password, remote)
        except LoginRefused:
            status, message = 401, _REFUSED
        except Throttled:
            status, message = 429, _THROTTLED
        else:
            response = self.pages.see_other(context, local(back))
            context.remember(response, signed_in.token)
            return response
        problems = [Problem("login", message)]
        values = {"problems": problems, "login": login[:200], "back": local(back)}
        return self.pages.page(request, context, "login.html", status, **values)

    def sign_out(self, context: Context) -> Response:
        context.sessions.sign_out(context.session_token)
        response = self.pages.see_other(context, "/login", Notice("signed_out"))
        context.forget(response)
        return response

    def set_language(
        self,
        context: Context,
        language: Text = "",
        back: Text = "/",
    ) -> Response:
        response = self.pages.see_other(context, back)
        if language in LANGUAGES:
            self._keep_language(context, response, language)
        return response

    def profile(self, request: Request, context: Context) -> Response:
        return self.pages.page(request, context, "profile.html", themes_offered=THEMES)

    def set_profile(self, context: Context, language: Text = "", theme: Text = "") -> Response:
        response = self.pages.see_other(context, "/profile", Notice("profile"))
        if language in LANGUAGES:
            self._keep_language(context, response, language)
        if theme in THEMES:
            self._cookie(context, response, THEME_COOKIE, theme)
        return response

    def accessibility(self, request: Request, context: Context) -> Response:
        return self.pages.page(request, context, "accessibility.html")

    def _keep_language(self, context: Context, response: Response, language: str) -> None:
        self._cookie(context, response, LANGUAGE_COOKIE, language)
        if context.session is not None:
            context.sessions.set_language(context.user, language)

    def _cookie(self, context: Context, response: Response, name: str, value: str) -> None:
        secure = context.services.secure_cookies
        response.set_cookie(name, value, max_age=_A_YEAR, path="/", httponly=True, samesite="strict", secure=secure)
