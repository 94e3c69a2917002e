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
# server goes on without it, and holds the port.
for server in $(pgrep -u "$(id -u)" -f "uvicorn .*--port $port .*mlflow\.server" || true); do
	ps -o args= -p "$(ps -o ppid= -p "$server")" | grep -q "mlflow ui" || kill "$server"
done

# Of the jobs that MLflow can run beside its UI (2 GB of processes) this project has none.
export MLFLOW_SERVER_ENABLE_JOB_EXECUTION=${MLFLOW_SERVER_ENABLE_JOB_EXECUTION:-false}
exec mlflow ui --host "${MLFLOW_HOST:-127.0.0.1}" --port "$port" --workers 1 \
	--backend-store-uri "${MLFLOW_TRACKING_URI:-sqlite:///mlflow.db}"
