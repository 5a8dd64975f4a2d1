/** The container's health check: 0 if the service says that it can do its work. */
try {
  const { HTTP_PORT: port = '8080' } = process.env;
  const url = `http://127.0.0.1:${port}/readyz`;
  const response = await fetch(url, { signal: AbortSignal.timeout(3_000) });
  // Shown by `docker inspect`: why it is not ready.
  console.log(await response.text());
  process.exitCode = response.ok ? 0 : 1;
} catch (error) {
  console.log(String(error));
  process.exitCode = 1;
}
