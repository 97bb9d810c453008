//! The tables of worker-service as diesel sees them, the same for both databases.

diesel::table! {
    use contract::sql::UtcTimestamp;
    use diesel::sql_types::*;

    job (id) {
        id -> Text,
        generation_id -> Text,
        user_id -> Text,
        conversation_id -> Text,
        revision -> BigInt,
        provider -> Text,
        model -> Text,
        prompt -> Text,
        parameters -> Jsonb,
        priority -> Integer,
        status -> Text,
        stage -> Nullable<Text>,
        progress -> Integer,
        eta_seconds -> Nullable<BigInt>,
        sequence -> BigInt,
        attempt -> Integer,
        retry_count -> Integer,
        max_retries -> Integer,
        run_after -> Nullable<UtcTimestamp>,
        lease_owner -> Nullable<Text>,
        lease_epoch -> BigInt,
        lease_until -> Nullable<UtcTimestamp>,
        lost_leases -> Integer,
        result -> Nullable<Jsonb>,
        error -> Nullable<Jsonb>,
        discarded -> Bool,
        traceparent -> Nullable<Text>,
        created_at -> UtcTimestamp,
        queued_at -> Nullable<UtcTimestamp>,
        updated_at -> UtcTimestamp,
        started_at -> Nullable<UtcTimestamp>,
        completed_at -> Nullable<UtcTimestamp>,
    }
}

diesel::table! {
    use contract::sql::UtcTimestamp;
    use diesel::sql_types::*;

    attempt (job_id, number) {
        job_id -> Text,
        number -> Integer,
        state -> Text,
        operation -> Nullable<Text>,
        resubmission -> Bool,
        error -> Nullable<Jsonb>,
        created_at -> UtcTimestamp,
        updated_at -> UtcTimestamp,
        cancel_asked_at -> Nullable<UtcTimestamp>,
        noticed_at -> Nullable<UtcTimestamp>,
    }
}

diesel::table! {
    use contract::sql::UtcTimestamp;
    use diesel::sql_types::*;

    object (key) {
        key -> Text,
        job_id -> Text,
        lease_epoch -> BigInt,
        state -> Text,
        created_at -> UtcTimestamp,
        changed_at -> UtcTimestamp,
    }
}

diesel::table! {
    use contract::sql::UtcTimestamp;
    use diesel::sql_types::*;

    upload (id) {
        id -> Text,
        key -> Text,
        sha256 -> Text,
        size -> BigInt,
        state -> Text,
        created_at -> UtcTimestamp,
        changed_at -> UtcTimestamp,
        keep_until -> UtcTimestamp,
    }
}

diesel::table! {
    use contract::sql::UtcTimestamp;
    use diesel::sql_types::*;

    webhook (id) {
        id -> Text,
        job_id -> Text,
        generation_id -> Text,
        #[sql_name = "type"]
        kind -> Text,
        sequence -> BigInt,
        body -> Text,
        state -> Text,
        attempts -> Integer,
        attempts_before -> Integer,
        next_attempt_at -> UtcTimestamp,
        expires_at -> UtcTimestamp,
        traceparent -> Nullable<Text>,
        created_at -> UtcTimestamp,
        updated_at -> UtcTimestamp,
    }
}

diesel::table! {
    use contract::sql::UtcTimestamp;
    use diesel::sql_types::*;

    webhook_try (webhook_id, number) {
        webhook_id -> Text,
        number -> Integer,
        status -> Nullable<Integer>,
        duration_ms -> BigInt,
        answer -> Nullable<Text>,
        error -> Nullable<Text>,
        created_at -> UtcTimestamp,
    }
}

diesel::table! {
    use contract::sql::UtcTimestamp;
    use diesel::sql_types::*;

    webhook_endpoint (url) {
        url -> Text,
        paused_until -> UtcTimestamp,
    }
}

diesel::table! {
    use contract::sql::UtcTimestamp;
    use diesel::sql_types::*;

    seen_request (id) {
        id -> Text,
        seen_at -> UtcTimestamp,
    }
}

diesel::table! {
    use contract::sql::UtcTimestamp;
    use diesel::sql_types::*;

    worker (id) {
        id -> Text,
        name -> Text,
        status -> Text,
        started_at -> UtcTimestamp,
        last_heartbeat -> UtcTimestamp,
    }
}

diesel::table! {
    use contract::sql::UtcTimestamp;
    use diesel::sql_types::*;

    latency (provider, model) {
        provider -> Text,
        model -> Text,
        seconds -> Double,
        seen -> BigInt,
        updated_at -> UtcTimestamp,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    job,
    attempt,
    object,
    upload,
    webhook,
    webhook_try,
    webhook_endpoint,
    seen_request,
    worker,
    latency,
);
