#!/usr/bin/env bash
# up.sh DIR: a real, empty Kubernetes API on loopback: etcd and kube-apiserver (no kubelet, no scheduler). Prints the path of a
# kubeconfig for a cluster admin. Ready in 3 to 4 s once built. Stop it with down.sh DIR.
set -euo pipefail
# To be nice is worth nothing outside of one's own session, unless the session is.
[ ! -w /proc/$$/autogroup ] || nice > /proc/$$/autogroup 2>/dev/null || true
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mkdir -p "$1" && cd "$1" && pwd)
"$here/build-apiserver.sh" "$dir" >&2
run=$dir/run
# Left up by an earlier run: it is as good as new.
if [ -f "$run/apiserver.pid" ] && kill -0 "$(cat "$run/apiserver.pid")" 2>/dev/null; then echo "$run/kubeconfig"; exit 0; fi
"$here/down.sh" "$dir"; rm -rf "$run"; mkdir -p "$run"; cd "$run"
read -r etcd peer api < <(node -e '
  const net = require("net");
  Promise.all([0, 0, 0].map(() => new Promise((done) => { const s = net.createServer().listen(0, "127.0.0.1", () => done(s)); })))
    .then((all) => { console.log(all.map((s) => s.address().port).join(" ")); all.forEach((s) => s.close()); });')
token=$(openssl rand -hex 16)
openssl genrsa -out sa.key 2048 2>/dev/null
echo "$token,admin,admin-uid,\"system:masters\"" > tokens.csv
etcd --data-dir etcd --unsafe-no-fsync --listen-client-urls "http://127.0.0.1:$etcd" --advertise-client-urls "http://127.0.0.1:$etcd" \
  --listen-peer-urls "http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer" \
  --initial-cluster "default=http://127.0.0.1:$peer" > etcd.log 2>&1 &
echo $! > etcd.pid
"$dir/bin/kube-apiserver" --etcd-servers="http://127.0.0.1:$etcd" --bind-address=127.0.0.1 --advertise-address=127.0.0.1 \
  --secure-port="$api" --insecure-port=0 --cert-dir=certs --service-cluster-ip-range=10.0.0.0/24 --token-auth-file=tokens.csv \
  --authorization-mode=RBAC --feature-gates=GenericEphemeralVolume=true --allow-privileged=true --disable-admission-plugins=ServiceAccount \
  --service-account-issuer=https://kubernetes.default.svc --service-account-key-file=sa.key \
  --service-account-signing-key-file=sa.key > apiserver.log 2>&1 &
echo $! > apiserver.pid
for _ in $(seq 1 600); do
  [ "$(curl -sk -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $token" "https://127.0.0.1:$api/readyz")" = 200 ] && break
  sleep 0.1
done
cat > kubeconfig <<YAML
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "https://127.0.0.1:$api", certificate-authority: $run/certs/apiserver.crt}}]
users: [{name: admin, user: {token: "$token"}}]
contexts: [{name: test, context: {cluster: test, user: admin}}]
current-context: test
YAML
echo "$run/kubeconfig"
