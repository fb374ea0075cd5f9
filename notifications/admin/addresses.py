"""The addresses of our own pages, which stand beside those of Django's admin."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, URLResolver, path

from notifications.views import (
    account,
    audiences,
    check,
    connection,
    controls,
    counting,
    delivery,
    evidence,
    group_download,
    group_import,
    history,
    labels,
    lost_factor,
    picker,
    progress,
    second_factor,
    second_step,
    sessions,
    sso,
    syncs,
    system,
    trail,
    write,
)


def own_addresses(
    inside: Callable[..., Any],
) -> list[URLPattern | URLResolver]:
    """``inside`` lets in who is logged in (``AdminSite.admin_view``)."""
    sent = "sent/<int:pk>/"
    rows = "history/deliveries/"
    label = "groups/labels/<int:pk>/"
    saved = "groups/audiences/<int:pk>/"
    factor = "account/second-factor/"
    return [
        path("sso/", sso.Begin.as_view(), name="sso_begin"),
        path("sso/callback/", sso.Callback.as_view(), name="sso_callback"),
        # Not behind admin_view: whoever opens them is not inside yet.
        path("login/code/", second_step.code, name="login_code"),
        path("logout/", second_step.log_out, name="logout"),
        path(factor, second_factor.second_factor, name="second_factor"),
        path(factor + "set-up/", second_factor.set_up, name="second_factor_set_up"),
        path(
            factor + "recovery-codes/",
            second_factor.recovery_codes,
            name="second_factor_codes",
        ),
        path(factor + "remove/", second_factor.remove, name="second_factor_remove"),
        path(
            "auth/user/<int:pk>/second-factor/",
            inside(lost_factor.remove),
            name="auth_user_second_factor",
        ),
        # Not behind admin_view: a text posted after the session ended is kept.
        path("write/", write.write, name="write"),
        path("write/groups/", inside(picker.groups), name="write_groups"),
        path("write/count/", inside(counting.count), name="write_count"),
        path("write/<int:pk>/", write.write, name="write_edit"),
        path("write/<int:pk>/delete/", inside(write.delete), name="draft_delete"),
        path("write/<int:pk>/check/", inside(check.check), name="check"),
        path(sent, inside(progress.progress), name="notification_progress"),
        path(sent + "status/", inside(progress.status), name="notification_status"),
        path(sent + "pause/", inside(controls.pause), name="notification_pause"),
        path(sent + "resume/", inside(controls.resume), name="notification_resume"),
        path(sent + "stop/", inside(controls.stop), name="notification_stop"),
        path(sent + "schedule/", inside(controls.reschedule), name="reschedule"),
        path(
            sent + "try-failed/",
            inside(controls.try_failed_again),
            name="try_failed_again",
        ),
        path(
            sent + "send-again/",
            inside(controls.send_unconfirmed_again),
            name="send_unconfirmed_again",
        ),
        path(sent + "evidence/", inside(evidence.download), name="evidence"),
        path("sending/", inside(controls.all_sending), name="all_sending"),
        path("system/", inside(system.system), name="system"),
        path("groups/sync/", inside(syncs.syncs), name="syncs"),
        path("groups/sync/now/", inside(syncs.request_now), name="sync_request"),
        path("groups/sync/<int:pk>/", inside(syncs.sync), name="sync"),
        path("groups/sync/<int:pk>/status/", inside(syncs.status), name="sync_status"),
        path("groups/sync/<int:pk>/stop/", inside(syncs.stop), name="sync_stop"),
        path("system/connection/", inside(connection.connection), name="connection"),
        path(
            "system/connection/notice/",
            inside(connection.notice),
            name="connection_notice",
        ),
        path("history/", inside(history.notifications), name="history"),
        path(rows, inside(history.deliveries), name="deliveries"),
        path(rows + "download/", inside(history.download), name="deliveries_download"),
        path("history/actions/", inside(trail.actions), name="actions"),
        path(
            "history/actions/download/",
            inside(trail.download),
            name="actions_download",
        ),
        path(rows + "<int:pk>/", inside(delivery.delivery), name="delivery"),
        path(rows + "<int:pk>/resolve/", inside(controls.resolve), name="resolve"),
        path("groups/labels/", inside(labels.labels), name="labels"),
        path("groups/labels/put/", inside(labels.put), name="labels_put"),
        path("groups/labels/take/", inside(labels.take), name="labels_take"),
        path(label + "rename/", inside(labels.rename), name="label_rename"),
        path(label + "delete/", inside(labels.delete), name="label_delete"),
        path("groups/audiences/", inside(audiences.audiences), name="audiences"),
        path("groups/audiences/add/", inside(audiences.add), name="audience_add"),
        path(saved, inside(audiences.audience), name="audience"),
        path(saved + "delete/", inside(audiences.delete), name="audience_delete"),
        path("groups/import/", inside(group_import.choose), name="group_import"),
        path(
            "groups/import/<int:pk>/",
            inside(group_import.check),
            name="group_import_check",
        ),
        path(
            "groups/download/",
            inside(group_download.download),
            name="groups_download",
        ),
        path("account/", inside(account.account), name="account"),
        path("account/end/", inside(sessions.end_one), name="session_end"),
        path("account/end-others/", inside(sessions.end_others), name="sessions_end"),
        path(
            "people/<int:pk>/log-out/",
            inside(sessions.end_all_of),
            name="person_log_out",
        ),
    ]
