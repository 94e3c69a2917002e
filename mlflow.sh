#!/usr/bin/env bash
# Serves MLflow's UI over this project's store: ./mlflow.sh [PORT], 5000 if none is given, on 127.0.0.1
# unless MLFLOW_HOST says another. `pm2 start mlflow.sh` keeps it running: docs/service.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
port=${1:-5000}
if ! [[ $port =~ ^[0-9]{1,5}$ ]] || ((port < 1 || port > 65535)); then
	echo "mlflow.sh: the port must be a number from 1 to 65535, got '$port'" >&2
	exit 1
fi
# The environment that `make setup` made, or the one that this is called in.
PATH=$PWD/.venv/bin:$PATH
command -v mlflow >/dev/null || { echo "mlflow.sh: there is no mlflow: run make setup first" >&2; exit 1; }

# MLflow's command starts the server as a process of its own. Where that command was killed outright, the
# server goes on without it, and holds the port. What this script starts carries a mark in its environment,
# of this checkout and port: a server that has it, and whose parent has not, was left behind.
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

# MLflow's first page is of traces and judges: this is the address of the runs.
python -m steps.address "http://$host:$port" || true

# Of the jobs that MLflow can run beside its UI (2 GB of processes) this project has none.
export MLFLOW_SERVER_ENABLE_JOB_EXECUTION=${MLFLOW_SERVER_ENABLE_JOB_EXECUTION:-false}
exec mlflow ui --host "$host" --port "$port" --workers 1 \
	--backend-store-uri "${MLFLOW_TRACKING_URI:-sqlite:///mlflow.db}"
