# What the demo needs besides the agent, from Debian: see override.yml.
FROM apiquota-test/debian:12.0
RUN apt-get update -qq \
  && apt-get install -y -qq --no-install-recommends curl prometheus prometheus-alertmanager python3 >/dev/null 2>&1 \
  && install -d -o nobody /prometheus /alertmanager
USER nobody
