# The agent with its own Node, loader and libraries: pods of any image mount /reprise. Context: runtime/agent/dist.
FROM node:24-bookworm-slim
COPY agent.js /reprise/agent.js
RUN set -e; \
    mkdir -p /reprise/bin /reprise/lib /workspace; \
    node=$(readlink -f "$(command -v node)"); \
    cp "$node" /reprise/bin/node; \
    ldd "$node" | awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }' | while read -r library; do cp -L "$library" /reprise/lib/; done; \
    cp -L /lib/*/libresolv.so.2 /lib/*/libnss_dns.so.2 /lib/*/libnss_files.so.2 /reprise/lib/; \
    ln -s "$(cd /reprise/lib && ls ld-linux*)" /reprise/lib/ld.so; \
    chown 1000:1000 /workspace; \
    chmod -R a+rX /reprise
USER 1000:1000
WORKDIR /workspace
ENTRYPOINT ["/reprise/lib/ld.so", "--library-path", "/reprise/lib", "/reprise/bin/node", "/reprise/agent.js"]
