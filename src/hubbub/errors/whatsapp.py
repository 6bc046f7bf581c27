"""Refusals only WhatsApp knows: its window, its caps and its templates."""

from __future__ import annotations

from hubbub.errors.refusal import Action, Refusal


class OfWhatsApp(Refusal):
    """What every refusal about a message says: which account, and to whom."""

    account_id: str | None = None
    recipient: str | None = None


class OfSetup(Refusal):
    """What every refusal about an unfinished setup says: which account, once there is one."""

    account_id: str | None = None


class WindowClosed(OfWhatsApp):
    """The person has not written within 24 hours, so no free text may be sent.

    Send an approved template; their answer opens the window again.
    """

    code = "whatsapp.window_closed"
    status = 410
    action = Action.FIX_REQUEST
    message = "Free text may follow a person's message for 24 hours; that time is over. Send a template."


class FrequencyCap(OfWhatsApp):
    """The person has had as much advertising as WhatsApp lets through.

    It counts everybody's messages to that person, not only yours. Try another day.
    """

    code = "whatsapp.frequency_cap"
    status = 429
    action = Action.WAIT
    message = "WhatsApp caps marketing messages per person; this person's cap is reached."

    retry_after_seconds: int | None = None


class PairRateLimit(OfWhatsApp):
    """Too many messages went to the same person in a short time.

    Pause this conversation; others are not affected.
    """

    code = "whatsapp.pair_rate_limit"
    status = 429
    action = Action.WAIT
    message = "WhatsApp limits how fast one person is written to; that limit is reached."

    retry_after_seconds: int | None = None


class ThroughputExceeded(OfWhatsApp):
    """The number is sending faster than WhatsApp lets it.

    Send more slowly; the limit counts messages in a second.
    """

    code = "whatsapp.throughput_exceeded"
    status = 429
    action = Action.WAIT
    message = "WhatsApp limits how fast a number sends; that limit is reached."

    retry_after_seconds: int | None = None


class UserOptedOut(OfWhatsApp):
    """The person does not want marketing messages from you.

    Respect it. They can change their mind in WhatsApp.
    """

    code = "whatsapp.user_opted_out"
    status = 410
    action = Action.FIX_REQUEST
    message = "A person must accept marketing messages; this one has opted out."


class Undeliverable(OfWhatsApp):
    """WhatsApp cannot bring the message to this number.

    The number has no WhatsApp, an old version, or lies where the message may not go.
    """

    code = "whatsapp.undeliverable"
    status = 410
    action = Action.FIX_REQUEST
    message = "The recipient must be reachable on WhatsApp; this one is not."


class TemplateNotFound(OfSetup):
    """The business account has no such template in this language.

    List the templates of the account, or make and submit this one.
    """

    code = "whatsapp.template_not_found"
    status = 404
    action = Action.FIX_REQUEST
    message = "The template must exist on the business account; {template} does not."

    template: str = "this one"


class TemplatePaused(OfSetup):
    """WhatsApp has paused the template because people disliked it.

    It is released after some hours the first times. Use another one meanwhile.
    """

    code = "whatsapp.template_paused"
    status = 409
    action = Action.WAIT
    message = "A template must be active to be sent; {template} is paused."

    template: str = "this one"
    retry_after_seconds: int | None = None


class NoAccount(OfSetup):
    """No WhatsApp account is connected.

    Connect one first.
    """

    code = "whatsapp.no_account"
    status = 404
    action = Action.FIX_REQUEST
    message = "This needs a connected WhatsApp account; there is none."


class NoBusinessAccount(OfSetup):
    """The sign-in brought no WhatsApp business account.

    Finish the setup at WhatsApp, choose the business account while signing in, and connect again.
    """

    code = "whatsapp.no_waba_found"
    status = 404
    action = Action.FIX_REQUEST
    message = "The sign-in must include a WhatsApp business account; it includes none."


class NoBusiness(OfSetup):
    """The sign-in brought no business.

    Make a business portfolio first, choose it while signing in, and connect again.
    """

    code = "whatsapp.no_business_found"
    status = 404
    action = Action.FIX_REQUEST
    message = "The sign-in must include a business; it includes none."


class NoPhoneNumber(OfSetup):
    """The business account has no phone number.

    Add a number to it, then connect again.
    """

    code = "whatsapp.no_phone_number_found"
    status = 404
    action = Action.FIX_REQUEST
    message = "The business account must have a phone number; it has none."


class Unknown(OfWhatsApp):
    """WhatsApp failed in a way that no other code names.

    The message repeats what it said. If it stays, report it.
    """

    code = "whatsapp.unknown"
    status = 500
    action = Action.REPORT
    message = "A call to WhatsApp must succeed; it failed: {said}"
    hidden = frozenset({"said"})

    said: str = "no reason given."
    """What WhatsApp said, secrets removed; ends the sentence and is not repeated in `meta`."""
    upstream_status: int | None = None
