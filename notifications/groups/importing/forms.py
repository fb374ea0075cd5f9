"""Forms of the two steps of an import: the file and the confirmation."""

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Fieldset, Layout
from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from notifications.groups.importing.parse import MAX_BYTES

PASTED = {"rows": 8, "spellcheck": "false", "autocapitalize": "off", "wrap": "off"}


class GroupFileForm(forms.Form):
    """A file or pasted text; a valid form has ``content``, from the field ``source``."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        allow_empty_file=True,  # the parser has a better message
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/*"}),
        help_text=gettext_lazy("CSV, up to 10 MB and 100,000 lines."),
    )
    text = forms.CharField(
        label=gettext_lazy("Or paste the lines"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs=PASTED),
        help_text=gettext_lazy(
            "With the line of headings. You can copy cells from a spreadsheet."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.source = ""
        self.content = b""
        self.file_name = ""
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True
        self.helper.layout = Layout(Fieldset(_("The groups"), "file", "text"))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.errors:
            return data
        file, text = data["file"], data["text"]
        if file is not None and text.strip():
            self.add_error(None, _("Choose a file or paste the lines, not both."))
        elif file is None and not text.strip():
            self.add_error(None, _("Choose a file, or paste the lines."))
        elif file is None:
            self.source, self.content = "text", text.encode()
        else:
            self.source, self.file_name = "file", file.name
            # One byte more than permitted is enough to detect a file that is too large.
            self.content = file.read(MAX_BYTES + 1)
        return data


class GroupImportForm(forms.Form):
    """Confirmation; ``digest`` identifies the plan that the page shows."""

    digest = forms.CharField(widget=forms.HiddenInput, max_length=64)
    leave_out = forms.BooleanField()

    def __init__(self, *args: Any, rejected: int, **kwargs: Any) -> None:
        """``rejected``: number of lines with errors; without any there is no checkbox."""
        super().__init__(*args, **kwargs)
        if not rejected:
            del self.fields["leave_out"]
            return
        checkbox = self.fields["leave_out"]
        checkbox.label = ngettext(
            "Leave out the %(n)d line with errors",
            "Leave out the %(n)d lines with errors",
            rejected,
        ) % {"n": rejected}
        checkbox.error_messages["required"] = ngettext(
            "Tick the box, or correct the %(n)d line and choose the file again.",
            "Tick the box, or correct the %(n)d lines and choose the file again.",
            rejected,
        ) % {"n": rejected}
