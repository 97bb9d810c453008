//! The catalogue of events: every `[COMPONENT] Action` that Reelay logs, in one file. Code emits an event by
//! its constant ([`event!`](crate::event!)), so a name that is not written here cannot be logged, and a search
//! for the constant finds every place that logs it. `docs/LOGGING.md` says the same for people; a test
//! compares the two.

/// One kind of log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name of its constant, for example `JOB_MANAGER_JOB_CREATED`.
    pub constant: &'static str,
    /// The message of the line: `[COMPONENT] Action`.
    pub name: &'static str,
    /// Which part of the system speaks.
    pub component: &'static str,
    /// What it says.
    pub action: &'static str,
    /// Its fields, separated by `, `; one that ends in `?` is left out where there is nothing to say.
    pub fields: &'static str,
}

impl Entry {
    /// Whether the web page says this, in the browser's console, and not a service.
    #[must_use]
    pub fn is_page_side(&self) -> bool {
        self.component == "PAGE"
    }

    /// The fields that every such line carries.
    pub fn required_fields(&self) -> impl Iterator<Item = &'static str> {
        self.fields.split(", ").filter(|field| !field.ends_with('?'))
    }
}

/// The entry whose message this is.
#[must_use]
pub fn find(name: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|entry| entry.name == name)
}

macro_rules! catalogue {
    ($($constant:ident = $component:literal, $action:literal, $fields:literal;)*) => {
        $(
            #[doc = concat!("`[", $component, "] ", $action, "` with ", $fields)]
            pub const $constant: &str = concat!("[", $component, "] ", $action);
        )*

        /// Every entry, in the order of this file.
        pub const CATALOGUE: &[Entry] = &[$(Entry {
            constant: stringify!($constant),
            name: $constant,
            component: $component,
            action: $action,
            fields: $fields,
        }),*];
    };
}

catalogue! {
    // A user's request, in api-service.
    MESSAGE_CREATE_REQUEST_RECEIVED = "MESSAGE_CREATE", "Request received", "userId, conversationId";
    MESSAGE_CREATE_MESSAGE_CREATED = "MESSAGE_CREATE", "Message created in DB", "userId, conversationId, messageId";
    MESSAGE_CREATE_INTENT_ANALYSED = "MESSAGE_CREATE", "Intent analysed", "conversationId, messageId, intent";
    INTENT_MODEL_FAILED = "INTENT", "Model failed, rules used", "conversationId, reason, durationMs, pauseMs?";
    INTENT_PROMPT_NOT_ENHANCED = "INTENT", "Prompt not enhanced", "conversationId, reason, durationMs?, pauseMs?";
    MESSAGE_CREATE_RETURNING_RESPONSE = "MESSAGE_CREATE", "Returning response", "conversationId, messageId, intent, generationId?";

    GENERATION_CREATE_REQUEST_RECEIVED = "GENERATION_CREATE", "Request received", "userId, conversationId?, messageId?, prompt?, provider?";
    GENERATION_CREATE_CREATED_IN_DB = "GENERATION_CREATE", "Generation created in DB", "generationId, status";
    GENERATION_CREATE_CALLING_WORKER = "GENERATION_CREATE", "Calling Worker API", "generationId, workerUrl";
    GENERATION_CREATE_WORKER_RESPONSE = "GENERATION_CREATE", "Worker response", "generationId, success, workerGenerationId?, error?";
    GENERATION_CREATE_RETURNING_RESPONSE = "GENERATION_CREATE", "Returning response", "generationId, status";

    GENERATION_CLARIFY_REQUEST_RECEIVED = "GENERATION_CLARIFY", "Request received", "generationId, userId";
    GENERATION_CLARIFY_UPDATED_IN_DB = "GENERATION_CLARIFY", "Generation updated in DB", "generationId, oldStatus, newStatus";
    GENERATION_CLARIFY_CALLING_WORKER = "GENERATION_CLARIFY", "Calling Worker API", "generationId, workerUrl";
    GENERATION_CLARIFY_WORKER_RESPONSE = "GENERATION_CLARIFY", "Worker response", "generationId, success, workerGenerationId?, error?";
    GENERATION_CLARIFY_RETURNING_RESPONSE = "GENERATION_CLARIFY", "Returning response", "generationId, status";

    GENERATION_REWORD_REQUEST_RECEIVED = "GENERATION_REWORD", "Request received", "generationId, userId";
    GENERATION_REWORD_UPDATED_IN_DB = "GENERATION_REWORD", "Generation updated in DB", "generationId, status";
    GENERATION_REWORD_RETURNING_RESPONSE = "GENERATION_REWORD", "Returning response", "generationId, status";

    GENERATION_CONFIRM_REQUEST_RECEIVED = "GENERATION_CONFIRM", "Request received", "generationId, userId";
    GENERATION_CONFIRM_UPDATED_IN_DB = "GENERATION_CONFIRM", "Generation updated in DB", "generationId, oldStatus, newStatus";
    GENERATION_CONFIRM_CALLING_WORKER = "GENERATION_CONFIRM", "Calling Worker API", "generationId, workerUrl";
    GENERATION_CONFIRM_WORKER_RESPONSE = "GENERATION_CONFIRM", "Worker response", "generationId, success, workerGenerationId?, error?";
    GENERATION_CONFIRM_RETURNING_RESPONSE = "GENERATION_CONFIRM", "Returning response", "generationId, status";

    GENERATION_CANCEL_REQUEST_RECEIVED = "GENERATION_CANCEL", "Request received", "generationId, userId";
    GENERATION_CANCEL_UPDATED_IN_DB = "GENERATION_CANCEL", "Generation updated in DB", "generationId, oldStatus, newStatus";
    GENERATION_CANCEL_CALLING_WORKER = "GENERATION_CANCEL", "Calling Worker API", "generationId, workerUrl";
    GENERATION_CANCEL_WORKER_RESPONSE = "GENERATION_CANCEL", "Worker response", "generationId, success, workerGenerationId?, error?";
    GENERATION_CANCEL_RETURNING_RESPONSE = "GENERATION_CANCEL", "Returning response", "generationId, status";

    GENERATION_STATUS_REQUEST_RECEIVED = "GENERATION_STATUS", "Request received", "generationId, userId";
    GENERATION_STATUS_CHECKING_WORKER = "GENERATION_STATUS", "Checking Worker status", "generationId, workerGenerationId?";
    GENERATION_STATUS_WORKER_RESPONSE = "GENERATION_STATUS", "Worker response", "generationId, success, status?, progress?";
    GENERATION_STATUS_RETURNING_RESPONSE = "GENERATION_STATUS", "Returning response", "generationId, dbStatus, workerStatus?";

    // A user's picture.
    UPLOAD_REQUEST_RECEIVED = "UPLOAD", "Request received", "userId, contentType, bytes";
    UPLOAD_REFUSED = "UPLOAD", "Picture refused", "userId, reason";
    UPLOAD_STORED = "UPLOAD", "Picture stored", "userId, uploadId, bytes";

    // The worker's news, as api-service takes it in.
    WEBHOOK_RECEIVED = "WEBHOOK", "Worker webhook received", "event, jobId, generationId";
    WEBHOOK_UPDATING_GENERATION = "WEBHOOK", "Updating generation in DB", "generationId, status";
    WEBHOOK_CREATING_MESSAGE = "WEBHOOK", "Creating assistant message", "generationId, conversationId, messageType";
    WEBHOOK_PROCESSED = "WEBHOOK", "Webhook processed successfully", "generationId";
    WEBHOOK_DUPLICATE_IGNORED = "WEBHOOK", "Duplicate ignored", "webhookId, reason";
    WEBHOOK_LATE_EVENT_IGNORED = "WEBHOOK", "Late event ignored", "webhookId, reason";
    WEBHOOK_SIGNATURE_REFUSED = "WEBHOOK", "Signature refused", "webhookId?, reason";

    RECONCILER_ASKING_WORKER = "RECONCILER", "Asking worker", "generationId, oldStatus";
    RECONCILER_GENERATION_REPAIRED = "RECONCILER", "Generation repaired", "generationId, oldStatus, newStatus";

    PUSH_LISTENER_CONNECTED = "PUSH", "Listener connected", "conversationId, cursor, transport";
    PUSH_LISTENER_RESUMED = "PUSH", "Listener resumed", "conversationId, cursor, transport";
    PUSH_EVENT_SENT = "PUSH", "Event sent", "conversationId, cursor, transport";
    PUSH_LISTENER_DROPPED = "PUSH", "Listener dropped", "conversationId, cursor, transport";

    // The worker's HTTP side.
    WORKER_REQUEST_RECEIVED = "WORKER", "Request received", "method, path, requestId";
    WORKER_AUTHENTICATION = "WORKER", "Authentication", "requestId, authenticated, userId?";
    WORKER_ROUTE_HANDLING = "WORKER", "Route handling", "requestId, route";
    WORKER_RESPONSE = "WORKER", "Response", "requestId, status";

    WORKER_GENERATION_CREATE_REQUEST_RECEIVED = "WORKER_GENERATION_CREATE", "Request received", "userId, prompt?, provider";
    WORKER_GENERATION_CREATE_CREATING_JOB = "WORKER_GENERATION_CREATE", "Creating job", "generationId";
    WORKER_GENERATION_CREATE_JOB_CREATED = "WORKER_GENERATION_CREATE", "Job created", "generationId, jobId, queuePosition";
    WORKER_GENERATION_CREATE_RETURNING_RESPONSE = "WORKER_GENERATION_CREATE", "Returning response", "generationId, status";

    WORKER_UPLOAD_STORED = "WORKER_UPLOAD", "Picture stored", "uploadId, bytes";

    // Jobs and the queue.
    JOB_MANAGER_CREATING_JOB = "JOB_MANAGER", "Creating job", "jobId, generationId, userId";
    JOB_MANAGER_JOB_CREATED = "JOB_MANAGER", "Job created", "jobId, status";
    JOB_MANAGER_UPDATING_STATUS = "JOB_MANAGER", "Updating job status", "jobId, oldStatus, newStatus";
    JOB_MANAGER_STATUS_UPDATED = "JOB_MANAGER", "Job status updated", "jobId, status";
    JOB_MANAGER_COMPLETING_JOB = "JOB_MANAGER", "Completing job", "jobId, result";
    JOB_MANAGER_JOB_COMPLETED = "JOB_MANAGER", "Job completed", "jobId, status";
    JOB_MANAGER_FAILING_JOB = "JOB_MANAGER", "Failing job", "jobId, error";
    JOB_MANAGER_JOB_FAILED = "JOB_MANAGER", "Job failed", "jobId, status, error";

    QUEUE_MANAGER_JOB_QUEUED = "QUEUE_MANAGER", "Job queued", "jobId, queuePosition?";
    QUEUE_MANAGER_JOB_CLAIMED = "QUEUE_MANAGER", "Job claimed", "jobId, workerId, epoch";
    QUEUE_MANAGER_HEARTBEAT_LOST = "QUEUE_MANAGER", "Heartbeat lost", "jobId, workerId, epoch";
    QUEUE_MANAGER_JOB_RESCUED = "QUEUE_MANAGER", "Job rescued", "jobId, workerId?, epoch";
    QUEUE_MANAGER_JOB_RELEASED = "QUEUE_MANAGER", "Job released", "jobId, workerId, epoch";

    // The making of a video. R2 is named only where R2 is configured.
    GENERATION_WORKFLOW_STARTING = "GENERATION_WORKFLOW", "Starting generation", "jobId, generationId, prompt?, provider";
    GENERATION_WORKFLOW_PICTURES_FETCHED = "GENERATION_WORKFLOW", "Pictures fetched", "jobId, count";
    GENERATION_WORKFLOW_CALLING_VEO3 = "GENERATION_WORKFLOW", "Calling Veo3 API", "jobId, prompt?";
    GENERATION_WORKFLOW_VEO3_RESPONSE = "GENERATION_WORKFLOW", "Veo3 API response", "jobId, videoId?, status";
    GENERATION_WORKFLOW_CALLING_PROVIDER = "GENERATION_WORKFLOW", "Calling provider API", "provider, jobId, prompt?";
    GENERATION_WORKFLOW_PROVIDER_RESPONSE = "GENERATION_WORKFLOW", "Provider API response", "provider, jobId, videoId?, status";
    GENERATION_WORKFLOW_UPLOADING_TO_R2 = "GENERATION_WORKFLOW", "Uploading to R2", "jobId, videoId";
    GENERATION_WORKFLOW_UPLOADING_TO_S3 = "GENERATION_WORKFLOW", "Uploading to S3", "jobId, videoId";
    GENERATION_WORKFLOW_UPLOAD_COMPLETE = "GENERATION_WORKFLOW", "Upload complete", "jobId, videoUrl";
    GENERATION_WORKFLOW_SENDING_WEBHOOK = "GENERATION_WORKFLOW", "Sending webhook", "jobId, generationId, status";
    GENERATION_WORKFLOW_COMPLETE = "GENERATION_WORKFLOW", "Generation complete", "jobId, status";

    VEO3_SERVICE_SUBMITTING = "VEO3_SERVICE", "Submitting", "jobId, attempt";
    VEO3_SERVICE_OPERATION_ACCEPTED = "VEO3_SERVICE", "Operation accepted", "jobId, operation, attempt, durationMs";
    VEO3_SERVICE_POLLING = "VEO3_SERVICE", "Polling", "jobId, operation";
    VEO3_SERVICE_OPERATION_FINISHED = "VEO3_SERVICE", "Operation finished", "jobId, operation, status";
    VEO3_SERVICE_SUBMISSION_REFUSED = "VEO3_SERVICE", "Submission refused", "jobId, attempt, status, durationMs";
    VEO3_SERVICE_SUBMISSION_UNKNOWN = "VEO3_SERVICE", "Submission unknown", "jobId, attempt";
    VEO3_SERVICE_DOWNLOADING = "VEO3_SERVICE", "Downloading", "jobId, operation";
    VEO3_SERVICE_DOWNLOADED = "VEO3_SERVICE", "Downloaded", "jobId, operation, durationMs";

    // Providers other than Veo.
    PROVIDER_SERVICE_SUBMITTING = "PROVIDER_SERVICE", "Submitting", "provider, jobId, attempt";
    PROVIDER_SERVICE_OPERATION_ACCEPTED = "PROVIDER_SERVICE", "Operation accepted", "provider, jobId, operation, attempt, durationMs";
    PROVIDER_SERVICE_POLLING = "PROVIDER_SERVICE", "Polling", "provider, jobId, operation";
    PROVIDER_SERVICE_OPERATION_FINISHED = "PROVIDER_SERVICE", "Operation finished", "provider, jobId, operation, status";
    PROVIDER_SERVICE_SUBMISSION_REFUSED = "PROVIDER_SERVICE", "Submission refused", "provider, jobId, attempt, status, durationMs";
    PROVIDER_SERVICE_SUBMISSION_UNKNOWN = "PROVIDER_SERVICE", "Submission unknown", "provider, jobId, attempt";
    PROVIDER_SERVICE_OPERATION_CANCELLED = "PROVIDER_SERVICE", "Operation cancelled", "provider, jobId, operation, status";
    PROVIDER_SERVICE_DOWNLOADING = "PROVIDER_SERVICE", "Downloading", "provider, jobId, operation";
    PROVIDER_SERVICE_DOWNLOADED = "PROVIDER_SERVICE", "Downloaded", "provider, jobId, operation, durationMs";
    PROVIDER_WEBHOOK_RECEIVED = "PROVIDER_WEBHOOK", "Hint received", "provider, outcome, jobId?";
    PROVIDER_WEBHOOK_REFUSED = "PROVIDER_WEBHOOK", "Signature refused", "provider, reason";

    // The worker's news, as worker-service sends it.
    WORKER_WEBHOOK_SENDING = "WORKER_WEBHOOK", "Sending webhook", "webhookId, generationId, event, attempt";
    WORKER_WEBHOOK_DELIVERED = "WORKER_WEBHOOK", "Webhook delivered", "webhookId, generationId, event, attempt, status";
    WORKER_WEBHOOK_FAILED = "WORKER_WEBHOOK", "Webhook failed", "webhookId, generationId, event, attempt, status?, nextAttemptAt?";
    WORKER_WEBHOOK_DEAD_LETTERED = "WORKER_WEBHOOK", "Webhook dead-lettered", "webhookId, generationId, event, attempt";
    WORKER_WEBHOOK_REDELIVERED = "WORKER_WEBHOOK", "Webhook redelivered", "webhookId, generationId, event";
    WORKER_WEBHOOK_PINGED = "WORKER_WEBHOOK", "Ping sent", "webhookId, status?, error?, durationMs";

    // Any process's own life.
    SERVICE_LISTENING = "SERVICE", "Listening", "address";
    SERVICE_CRASH_POINT_SET = "SERVICE", "Crash point set", "point";
    SERVICE_STOPPING = "SERVICE", "Stopping", "reason";
    SERVICE_STOPPED = "SERVICE", "Stopped", "durationMs";
    SERVICE_REQUEST_FAILED = "SERVICE", "Request failed", "requestId, code, error";
    SERVICE_TASK_FAILED = "SERVICE", "Task failed", "task, error";

    // The web page, in the browser's console, at its debug level.
    PAGE_POLLING_STARTED = "PAGE", "Polling started", "generationId, status";
    PAGE_STATUS_UPDATE_RECEIVED = "PAGE", "Status update received", "generationId, status";
    PAGE_VIDEO_PLAYER_DISPLAYED = "PAGE", "Video player displayed", "generationId, status";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_and_constants_are_unique_and_well_formed() {
        let names: HashSet<_> = CATALOGUE.iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), CATALOGUE.len());
        for entry in CATALOGUE {
            assert!(entry.constant.starts_with(entry.component), "{}", entry.constant);
            assert_eq!(entry.name, format!("[{}] {}", entry.component, entry.action));
            for field in entry.fields.split(", ") {
                let bare = field.strip_suffix('?').unwrap_or(field);
                assert!(bare.bytes().all(|b| b.is_ascii_alphanumeric()), "{field} of {}", entry.name);
                assert!(bare.starts_with(|c: char| c.is_ascii_lowercase()), "{field} of {}", entry.name);
            }
        }
    }

    #[test]
    fn an_entry_is_found_by_its_message() {
        let entry = find("[JOB_MANAGER] Job failed").unwrap();
        assert_eq!(entry.required_fields().collect::<Vec<_>>(), ["jobId", "status", "error"]);
        assert_eq!(find(GENERATION_CREATE_WORKER_RESPONSE).unwrap().required_fields().count(), 2);
        assert_eq!(find("[JOB_MANAGER] Job vanished"), None);
    }

    #[test]
    fn the_document_has_each_entry_with_its_fields_and_no_other() {
        let document = include_str!("../../../docs/LOGGING.md");
        let row = |entry: &Entry| {
            let fields: Vec<_> = entry.fields.split(", ").map(|field| format!("`{field}`")).collect();
            format!("| `{}` | {} | {} |", entry.component, entry.action, fields.join(", "))
        };
        let expected: Vec<_> = CATALOGUE.iter().map(row).collect();
        let written: HashSet<_> = document.lines().collect();
        let missing: Vec<_> = expected.iter().filter(|row| !written.contains(row.as_str())).collect();
        assert!(missing.is_empty(), "docs/LOGGING.md lacks:\n{missing:#?}");
        let components: HashSet<_> = CATALOGUE.iter().map(|entry| entry.component).collect();
        let invented: Vec<_> = document
            .lines()
            .filter(|line| components.iter().any(|component| line.starts_with(&format!("| `{component}` |"))))
            .filter(|line| !expected.iter().any(|row| row == line))
            .collect();
        assert!(invented.is_empty(), "docs/LOGGING.md invents:\n{invented:#?}");
    }
}
