//! Asynchronous work in places that cannot wait for it, such as `drop`.

/// Runs `work` to its end on a thread and a runtime of its own. Answers `None` when it panicked.
pub(crate) fn run<T, F>(work: F) -> Option<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime can be made").block_on(work)
    });
    thread.join().ok()
}
