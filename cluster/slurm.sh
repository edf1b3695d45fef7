#!/usr/bin/env bash
# A search on nodes of a Slurm cluster: one job that starts Ray on its nodes, searches, and ends.
#
# NEVER RUN under Slurm itself by this project: run on two nodes of Ray with an srun and a scontrol that are played
# (tests/cluster/test_slurm_and_by_hand.py). Expect to mend details of your site.
#
# what it is   an sbatch script; its arguments are those of run_search.py, without --address
# to edit      the #SBATCH lines and the results directory below, which all nodes must share
# needs        Python 3.11 to 3.13 on the nodes; this folder on storage that all nodes see
#
# The commands, from the project's folder:
#
#     sbatch cluster/slurm.sh search_spaces/cifar_width_depth.yaml
#     sbatch cluster/slurm.sh search_spaces/cifar_width_depth.yaml --resume      # after the time limit
#
# A minute before the time limit the search is asked to stop (where the site has PreemptParameters=send_user_signal,
# also before the job is preempted); --resume goes on with it. An epoch longer than ten seconds is trained again.
#SBATCH --job-name=wrn-search
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --gpus-per-node=1
#SBATCH --time=12:00:00
#SBATCH --signal=B:TERM@60
#SBATCH --output=wrn-search-%j.out
set -euo pipefail

RESULTS=${WRN_SEARCH_RESULTS:-$HOME/wrn-search-results}   # edit: shared by all nodes
PYTHON=python3                                            # edit: such as python3.12, the same on every node

cd "$SLURM_SUBMIT_DIR"
export RAY_memory_monitor_refresh_ms=0 RAY_USAGE_STATS_ENABLED=0
# Other users of the cluster reach these ports: Ray's processes of this job, and nobody else, know its token.
RAY_AUTH_TOKEN=$("$PYTHON" -c 'import secrets; print(secrets.token_hex(32))')
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN
export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK # srun no longer takes it from the job by itself

# Once a node; nodes that share a home wait for each other and find everything installed.
srun --ntasks-per-node=1 bash cluster/install.sh --results "$RESULTS" --python "$PYTHON"
# shellcheck source=/dev/null
source "$HOME/.wrn-search/env.sh"

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | awk 'NR == 1') # not `head -n 1`: scontrol would die by SIGPIPE
address=$(srun --nodes=1 --ntasks=1 --nodelist="$head" hostname --ip-address | awk '{print $1}')
port=$((20000 + SLURM_JOB_ID % 20000))
gpus=${SLURM_GPUS_ON_NODE:-0}

ray_on() { # where, then the options of ray start
    srun "$1" "$2" "$3" --ntasks-per-node=1 ray start "${@:4}" --num-cpus="$SLURM_CPUS_PER_TASK" --num-gpus="$gpus" --block &
}
ray_on --nodes=1 --ntasks=1 --nodelist="$head" --head --node-ip-address="$address" --port="$port"
for _ in $(seq 60); do
    ray status --address "$address:$port" > /dev/null 2>&1 && break
    sleep 2
done
if [ "$SLURM_JOB_NUM_NODES" -gt 1 ]; then
    others=$((SLURM_JOB_NUM_NODES - 1))
    ray_on --nodes="$others" --ntasks="$others" --exclude="$head" --address="$address:$port"
fi

# Nodes that come later are used all the same; but how large a trial's share is, is decided at the start.
for _ in $(seq 60); do
    [ "$(ray status --address "$address:$port" 2> /dev/null | grep -c ' node_')" -ge "$SLURM_JOB_NUM_NODES" ] && break
    sleep 2
done

python run_search.py "$@" --address "$address:$port" &
search=$!
trap 'kill -TERM "$search"' TERM
status=0
wait "$search" || status=$?
if [ "$status" -gt 128 ]; then # the wait was cut short by our trap: the search finishes its epochs
    status=0
    wait "$search" || status=$?
fi
exit "$status" # the end of the job ends Ray on all nodes
