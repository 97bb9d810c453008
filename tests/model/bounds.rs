//! How much may go wrong in one run, which is what keeps the model finite. All else may happen at any time and
//! in any order.

/// How often each of these may still happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Budget {
    /// A packet is lost; the end of the API's process between sending and writing down is such a loss, too.
    pub drops: u8,
    /// A packet arrives and stays under way.
    pub duplicates: u8,
    /// The worker takes a command as wrong and refuses it.
    pub refusals: u8,
    /// The reconciler, or a reader, asks the worker.
    pub questions: u8,
    /// The user wants it otherwise before saying yes.
    pub amendments: u8,
    /// The user wants it asked for in other words, before the yes or with it.
    pub rewordings: u8,
    /// The worker's process dies, with all that it had in memory and on its connections.
    pub crashes: u8,
    /// A lease lapses under a runner that goes on.
    pub lapses: u8,
    /// A runner hands the job back, or is stopped by the deadline.
    pub stops: u8,
    /// A POST has no answer, whether the provider took it or not, or one that names no operation.
    pub unanswered: u8,
    /// The provider refuses a POST, fails an operation, knows it no more or does not answer for it; the bucket is away.
    pub failures: u8,
    /// Progress is told.
    pub progress: u8,
    /// The time of a webhook is over before it was delivered.
    pub deaths: u8,
    /// An operator has a webhook delivered again.
    pub redeliveries: u8,
}

/// One configuration of the model.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// What this is called in the output.
    pub name: &'static str,
    pub budget: Budget,
    /// Commands under way at the same time.
    pub commands: usize,
    /// Webhooks under way at the same time. With none, they wait for the end, when the world is left to itself.
    pub webhooks: usize,
    /// Runners at the same time: the one that holds the lease, and zombies.
    pub runners: usize,
    /// Whether the user may call it off or delete the conversation.
    pub user_leaves: bool,
    /// Whether the generation begins with a question.
    pub asks: bool,
}
