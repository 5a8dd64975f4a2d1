/**
 * Loaded by `--import` into a forked child process that must not outlive its parent: the IPC channel closes when the
 * parent ends, in whatever way.
 */
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// The channel must not keep alive a process that has nothing left to do.
process.channel?.unref();
