/** Loaded into every service that a test starts (`--import`): a worker of jest may be killed without a word. */
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// It must not keep a service alive that has stopped.
process.channel?.unref();
