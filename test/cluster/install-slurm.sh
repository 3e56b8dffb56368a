#!/usr/bin/env bash
# Installs Slurm, munge and iproute2 from Debian where they are missing; the tests start them
# (local-slurm.ts). Says why and ends well where it cannot: those tests are then skipped.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"
is_missing=false
for name in munged slurmctld slurmd sbatch srun ip; do
  command -v "$name" >/dev/null || is_missing=true
done
if [ "$is_missing" = false ]; then exit 0; fi
as_root=()
if [ "$(id -u)" != 0 ]; then
  if ! sudo -n true 2>/dev/null; then
    echo 'install-slurm: neither root nor sudo without a password; tests of Slurm are skipped'
    exit 0
  fi
  as_root=(sudo -n)
fi
if ! command -v apt-get >/dev/null; then
  echo 'install-slurm: no apt-get here; tests of Slurm are skipped'
  exit 0
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends slurm-wlm munge iproute2 >/dev/null
echo "install-slurm: $(slurmctld -V)"
