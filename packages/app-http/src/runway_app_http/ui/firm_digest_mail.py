"""The firm's daily digest as an e-mail: HTML and plain text from one model."""

from jinja2 import Environment
from runway_core.experiences.firm_digest import FirmDigestView

from runway_app_http.digest_sending import DigestMail
from runway_app_http.ui.figures import STATUS_SIGNS, say_count, say_day
from runway_app_http.ui.rendering import templates

_plain: Environment = templates.overlay(autoescape=False)


def write_firm_digest_mail(view: FirmDigestView) -> DigestMail:
    """Lay the day's digest out as a message."""
    subject = f"{say_day(view.as_of)}: {say_count(len(view.named), 'company', 'companies')} to look at"
    signs = {status.value: sign for status, sign in STATUS_SIGNS.items()}
    values = {"view": view, "subject": subject, "signs": signs}
    return DigestMail(
        subject=subject,
        html=templates.get_template("mail/firm_digest.html").render(values),
        text=_plain.get_template("mail/firm_digest.txt").render(values),
    )
