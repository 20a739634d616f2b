# What follows runs on the first node of the job; srun starts Ray on all nodes.
set -euo pipefail

mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
export RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0
# Nodes are shared with other users: only those who know the token may run code on this cluster.
RAY_AUTH_TOKEN=$("$python" -c 'import secrets; print(secrets.token_hex(32))')
export RAY_AUTH_TOKEN

on_node() { # NODE COMMAND...; exec replaces the subshell, so that a signal reaches srun
    # --export: the token must reach the step even if the site or "sbatch --export" withholds the environment.
    exec srun --export=ALL --nodes=1 --ntasks=1 --nodelist="$1" --cpus-per-task="$cpus" "${gpu_request[@]}" "${@:2}"
}

steps=()
# shellcheck disable=SC2329 # a trap calls it
clean_up() {
    for step in "${steps[@]}"; do kill -TERM "$step" 2>/dev/null || true; done
    for step in "${steps[@]}"; do wait "$step" 2>/dev/null || true; done
}
trap clean_up EXIT

# USR1 comes from --signal, before the time limit: the search writes its results, and the job is requeued.
# TERM comes from scancel: the search stops in the same way, and the job ends.
driver='' signalled=no time_over=no
# shellcheck disable=SC2329 # a trap calls it
stop() {
    signalled=yes
    if [[ -z $driver ]]; then exit 1; fi
    kill -TERM "$driver" 2>/dev/null || true
}
trap 'time_over=yes; stop' USR1
trap stop TERM

head_ip=$(on_node "${nodes[0]}" "$python" -c 'import ray; print(ray.util.get_node_ip_address())' | tail -n 1)
if [[ $head_ip == 127.* && ${#nodes[@]} -gt 1 ]]; then
    echo "suite: ${nodes[0]} has only the address $head_ip, which other nodes cannot reach; correct its" \
        "/etc/hosts and routes, or request one node" >&2
    exit 1
fi
# Other jobs may run Ray on the same nodes, so names and ports are derived from the job.
export RAY_ADDRESS="$head_ip:$((20000 + SLURM_JOB_ID % 10000))"
client_port=()
if "$python" -c 'import grpc' 2>/dev/null; then # without grpc, Ray has no client server and refuses the option
    client_port=(--ray-client-server-port="$((30000 + SLURM_JOB_ID % 2700))")
fi
ray_folder="/tmp/suite-ray-$SLURM_JOB_ID"
# Ray opens its folder to everybody, so the one around it is closed. One that is somebody else's is not used.
# shellcheck disable=SC2016 # the shell on the node expands it
closed='mkdir -p -m 700 "$0" && [[ -O $0 ]] && chmod 700 "$0" && exec "$@"'
ray=(bash -c "$closed" "$ray_folder" "$python" -m ray.scripts.scripts start --block --num-cpus="$cpus"
    --num-gpus="$gpus" --temp-dir="$ray_folder/r")
on_node "${nodes[0]}" "${ray[@]}" --head --node-ip-address="$head_ip" --port="${RAY_ADDRESS##*:}" \
    "${client_port[@]}" --include-dashboard=false &
steps+=("$!")
"$python" -m suite.cluster.waiting --nodes 1
for node in "${nodes[@]:1}"; do
    on_node "$node" "${ray[@]}" --address="$RAY_ADDRESS" &
    steps+=("$!")
done
"$python" -m suite.cluster.waiting --nodes "${#nodes[@]}"

"$python" -m suite.cli "${arguments[@]}" &
driver=$!
while true; do
    signalled=no
    code=0
    wait "$driver" || code=$?
    [[ $signalled == no ]] && break # otherwise a signal ended the wait, and the code is not the search's
done

if [[ $time_over == yes && $code -eq 130 ]]; then
    if ((${SLURM_RESTART_COUNT:-0} < most_restarts)); then
        echo "The time limit is reached; the job is requeued and continues from what is done."
        scontrol requeue "$SLURM_JOB_ID"
    else
        echo "The time limit is reached after the last of $most_restarts restarts; submit the script again to continue."
    fi
fi
exit "$code"
