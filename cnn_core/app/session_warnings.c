/* SPDX-License-Identifier: BSD-3-Clause */
#include "session_warnings.h"
#include "cnn/status.h"
#include "session_parts.h"
#include "tell.h"
#include <string.h>

/* Warnings of steps that are done again may come again. */
static void take_past(app_session *session, const json_t *record)
{
    size_t i;
    json_t *warning;
    json_array_foreach(json_object_get(record, "warnings"), i, warning)
    {
        const char *name = json_string_value(json_object_get(warning, "kind"));
        const json_int_t step = json_integer_value(json_object_get(warning, "step"));
        if (!name || step < 0 || (uint64_t)step > session->first_step)
            continue;
        json_array_append(session->warnings, warning);
        for (int kind = 0; kind < SIGN_KINDS; kind++)
            if (session->signs && !strcmp(name, early_sign_name(kind)))
                early_signs_forget(session->signs, kind);
    }
}

void session_open_warnings(app_session *session, const json_t *record)
{
    const train_plan *plan = session->plan;
    const uint64_t warmup = plan->trainer.schedule.warmup;
    session->warnings = json_array();
    if (plan->warns)
        session->signs = early_signs_begin(&session->data.train,
                                           warmup > session->first_step ? warmup : session->first_step);
    take_past(session, record);
}

void session_warn(app_session *session, const cnn_step *step)
{
    early_sign sign;
    while (session->signs &&
           early_signs_take(session->signs, step, session->net, session->trainer->options.batch, &sign)) {
        const char *reason = early_sign_reason(sign.kind);
        if (!sign.is_not_finite)
            tell_error("warning: step %llu: %s: %s", (unsigned long long)sign.step, reason, sign.evidence);
        json_array_append_new(session->warnings,
                              json_pack("{s:I, s:s, s:s, s:s}", "step", (json_int_t)sign.step, "kind",
                                        early_sign_name(sign.kind), "reason", reason, "evidence",
                                        sign.evidence));
        session->steer.has_news = 1;
        /* Whoever looks at the folder sees it at once; a record that cannot be written is told with the next
         * checkpoint. */
        session_write_record(session, "running");
    }
}

void session_close_warnings(app_session *session)
{
    early_signs_end(session->signs);
    json_decref(session->warnings);
}
