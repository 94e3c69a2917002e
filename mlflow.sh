#!/usr/bin/env bash
# Serves MLflow's UI over this project's store: ./mlflow.sh [PORT], 5000 if none is given, on 127.0.0.1
# unless MLFLOW_HOST names another address. `pm2 start mlflow.sh` keeps it running: docs/service.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
port=${1:-5000}
if ! [[ $port =~ ^[0-9]{1,5}$ ]] || ((port < 1 || port > 65535)); then
	echo "mlflow.sh: the port must be a number from 1 to 65535, got '$port'" >&2
	exit 1
fi
# The environment that `make setup` made, or else the caller's.
PATH=$PWD/.venv/bin:$PATH
command -v mlflow >/dev/null || { echo "mlflow.sh: there is no mlflow: run make setup first" >&2; exit 1; }

# MLflow's command starts the server in a separate process. If the command is killed, the server goes on
# and holds the port. Processes that this script starts have a mark for this checkout and port in their
# environment: a server that has the mark, and whose parent does not, was left behind.
export INCOME_UI=$PWD:$port
is_ours() { ps eww -o command= -p "$1" 2>/dev/null | grep -qF " INCOME_UI=$INCOME_UI "; }
for server in $(pgrep -u "$(id -u)" -f "uvicorn .*--port $port .*mlflow\.server" || true); do
	if is_ours "$server" && ! is_ours "$(ps -o ppid= -p "$server" | tr -d ' ')"; then
		kill "$server" || true
		for _ in {1..100}; do kill -0 "$server" 2>/dev/null || break; sleep 0.1; done
	fi
done
host=${MLFLOW_HOST:-127.0.0.1}
if (: <>"/dev/tcp/$host/$port") 2>/dev/null; then
	echo "mlflow.sh: port $port is taken by another server: end that one, or name another port: ./mlflow.sh PORT" >&2
	exit 1
fi

# MLflow's first page shows traces and judges; this prints the address of the runs.
python -m steps.address "http://$host:$port" || true

# The project does not use the job runners that MLflow would start beside its UI (2 GB).
export MLFLOW_SERVER_ENABLE_JOB_EXECUTION=${MLFLOW_SERVER_ENABLE_JOB_EXECUTION:-false}
exec mlflow ui --host "$host" --port "$port" --workers 1 \
	--backend-store-uri "${MLFLOW_TRACKING_URI:-sqlite:///mlflow.db}"
