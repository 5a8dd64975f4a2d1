/**
 * Loaded into a child process (`--import`) that must not outlive its parent, however that ends: a child forked
 * by Node hears of it by its closed channel.
 */
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// The channel must not keep alive a process that has nothing left to do.
process.channel?.unref();
