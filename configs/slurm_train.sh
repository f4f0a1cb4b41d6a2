#!/bin/bash
# A training job for Slurm: one torchrun on each node, which meet on the first of them.
#   sbatch configs/slurm_train.sh configs/100m.toml fsdp
# The repository, its environment .venv and build/ must lie on a disk that all nodes see.
#SBATCH --job-name=llm-course
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=32
#SBATCH --time=24:00:00
#SBATCH --output=%x-%j.log
#SBATCH --requeue

set -euo pipefail
config=${1:?usage: sbatch configs/slurm_train.sh CONFIG STRATEGY}
strategy=${2:?usage: sbatch configs/slurm_train.sh CONFIG STRATEGY}
cd "$SLURM_SUBMIT_DIR"

first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
port=$((20000 + SLURM_JOB_ID % 20000)) # two jobs of one node do not meet

# --kill-on-bad-exit: a node whose torchrun has failed ends the others. A job that was interrupted is
# put in the queue again by Slurm (--requeue) and goes on from its last checkpoint.
srun --kill-on-bad-exit=1 .venv/bin/torchrun \
  --nnodes="$SLURM_NNODES" \
  --nproc_per_node="$SLURM_GPUS_ON_NODE" \
  --rdzv_id="$SLURM_JOB_ID" \
  --rdzv_backend=c10d \
  --rdzv_endpoint="$first:$port" \
  -m llm_course.recipes.train --config "$config" --strategy "$strategy" --device cuda
