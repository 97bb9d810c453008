//! The tables of api-service as diesel sees them, the same for both databases.

diesel::table! {
    use contract::sql::UtcTimestamp;
    use diesel::sql_types::*;

    account (id) {
        id -> Text,
        email -> Text,
        name -> Nullable<Text>,
        password_hash -> Text,
        created_at -> UtcTimestamp,
    }
}

diesel::table! {
    use contract::sql::UtcTimestamp;
    use diesel::sql_types::*;

    session (token_hash) {
        token_hash -> Text,
        user_id -> Text,
        created_at -> UtcTimestamp,
        expires_at -> UtcTimestamp,
    }
}

diesel::table! {
    use contract::sql::UtcTimestamp;
    use diesel::sql_types::*;

    conversation (id) {
        id -> Text,
        user_id -> Text,
        title -> Nullable<Text>,
        last_cursor -> BigInt,
        created_at -> UtcTimestamp,
        updated_at -> UtcTimestamp,
        deleted_at -> Nullable<UtcTimestamp>,
    }
}

diesel::table! {
    use contract::sql::UtcTimestamp;
    use diesel::sql_types::*;

    message (id) {
        id -> Text,
        conversation_id -> Text,
        position -> BigInt,
        role -> Text,
        #[sql_name = "type"]
        kind -> Text,
        content -> Text,
        generation_id -> Nullable<Text>,
        created_at -> UtcTimestamp,
    }
}

diesel::table! {
    use contract::sql::UtcTimestamp;
    use diesel::sql_types::*;

    generation (id) {
        id -> Text,
        conversation_id -> Text,
        message_id -> Text,
        user_id -> Text,
        #[sql_name = "type"]
        kind -> Text,
        provider -> Text,
        model -> Text,
        status -> Text,
        prompt -> Text,
        parameters -> Jsonb,
        clarification_questions -> Nullable<Jsonb>,
        clarification_responses -> Nullable<Jsonb>,
        worker_job_id -> Nullable<Text>,
        progress -> Integer,
        queue_position -> Nullable<BigInt>,
        estimated_cost -> Nullable<Jsonb>,
        result_url -> Nullable<Text>,
        thumbnail_url -> Nullable<Text>,
        duration -> Nullable<Double>,
        file_size -> Nullable<BigInt>,
        resolution -> Nullable<Text>,
        format -> Nullable<Text>,
        processing_time -> Nullable<Double>,
        error_code -> Nullable<Text>,
        error_message -> Nullable<Text>,
        created_at -> UtcTimestamp,
        updated_at -> UtcTimestamp,
        started_at -> Nullable<UtcTimestamp>,
        completed_at -> Nullable<UtcTimestamp>,
        failed_at -> Nullable<UtcTimestamp>,
        cancelled_at -> Nullable<UtcTimestamp>,
    }
}

diesel::table! {
    use contract::sql::UtcTimestamp;
    use diesel::sql_types::*;

    generation_job (generation_id) {
        generation_id -> Text,
        retry_of -> Nullable<Text>,
        stage -> Nullable<Text>,
        attempt -> Integer,
        eta_seconds -> Nullable<BigInt>,
        sequence -> BigInt,
        revision -> BigInt,
        confirmed_at -> Nullable<UtcTimestamp>,
        video_key -> Nullable<Text>,
        thumbnail_key -> Nullable<Text>,
        sha256 -> Nullable<Text>,
        heard_at -> UtcTimestamp,
        language -> Text,
        enhanced_prompt -> Nullable<Text>,
    }
}

diesel::table! {
    use contract::sql::UtcTimestamp;
    use diesel::sql_types::*;

    event (conversation_id, cursor) {
        conversation_id -> Text,
        cursor -> BigInt,
        name -> Text,
        generation_id -> Nullable<Text>,
        payload -> Jsonb,
        created_at -> UtcTimestamp,
    }
}

diesel::table! {
    use contract::sql::UtcTimestamp;
    use diesel::sql_types::*;

    command (generation_id) {
        generation_id -> Text,
        revision -> BigInt,
        body -> Jsonb,
        attempts -> Integer,
        next_attempt_at -> UtcTimestamp,
        created_at -> UtcTimestamp,
    }
}

diesel::table! {
    use contract::sql::UtcTimestamp;
    use diesel::sql_types::*;

    inbox (webhook_id) {
        webhook_id -> Text,
        received_at -> UtcTimestamp,
    }
}

diesel::table! {
    use contract::sql::UtcTimestamp;
    use diesel::sql_types::*;

    idempotency_key (user_id, method, path, key) {
        user_id -> Text,
        method -> Text,
        path -> Text,
        key -> Text,
        body_hash -> Text,
        status -> Nullable<Integer>,
        answer -> Nullable<Jsonb>,
        created_at -> UtcTimestamp,
    }
}

diesel::table! {
    use contract::sql::UtcTimestamp;
    use diesel::sql_types::*;

    charge (generation_id) {
        generation_id -> Text,
        user_id -> Text,
        amount -> BigInt,
        state -> Text,
        created_at -> UtcTimestamp,
        updated_at -> UtcTimestamp,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    allowance (user_id) {
        user_id -> Text,
        budget_per_day -> Nullable<BigInt>,
        budget_per_month -> Nullable<BigInt>,
        videos_per_day -> Nullable<BigInt>,
        queued -> Nullable<BigInt>,
    }
}

diesel::table! {
    use contract::sql::UtcTimestamp;
    use diesel::sql_types::*;

    upload (id) {
        id -> Text,
        user_id -> Text,
        content_type -> Text,
        width -> Integer,
        height -> Integer,
        size -> BigInt,
        sha256 -> Text,
        stored -> Bool,
        created_at -> UtcTimestamp,
        expires_at -> UtcTimestamp,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    account,
    session,
    conversation,
    message,
    generation,
    generation_job,
    event,
    command,
    inbox,
    idempotency_key,
    charge,
    allowance,
    upload,
);
