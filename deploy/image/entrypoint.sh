#!/bin/sh
# The first argument names what runs: a service by its directory, or the command line.
#   fan-out | delivery | control-plane   the service, until SIGTERM
#   databridge <command> …        the command line
# Anything else is run as it is. `exec` throughout: signals must reach Node, not this shell.
set -e
name=${1:-}
case $name in
  '')
    echo 'Say what to run: fan-out, delivery, control-plane, or databridge with a command ("databridge --help").' >&2
    exit 2
    ;;
  *[!a-z-]*) ;;
  *)
    if [ -f "/app/services/$name/src/main.ts" ]; then
      shift
      # The flags of services/kernel/src/settings/node-flags.ts.
      exec node --max-semi-space-size=8 "/app/services/$name/src/main.ts" "$@"
    fi
    ;;
esac
exec "$@"
