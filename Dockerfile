# One image for every process of the panel: web (the default), worker, scheduler, and the commands of manage.py.
# The digest is that of the tag's list of platforms. docs/operations.md ("Releases") says how to renew it.
ARG PYTHON=python:3.13-slim-trixie@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b

FROM ${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
RUN python -m venv --without-pip /venv
COPY requirements.lock /
RUN python -m pip --python /venv/bin/python install --quiet --no-compile --require-hashes --only-binary :all: \
    -r /requirements.lock
WORKDIR /app
COPY . .
# The settings want keys; the ones made here sign nothing and stay in this stage.
RUN DATA_DIR=/tmp/data STATIC_DIR=/app/staticfiles /venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
 && rm -r /tmp/data requirements.lock \
 && /venv/bin/python -m compileall -q --invalidation-mode unchecked-hash . /venv/lib \
 && chmod -R a+rX .

FROM ${PYTHON}
# A new volume takes its owner from the folder it is mounted on.
RUN groupadd --gid 10001 panel \
 && useradd --uid 10001 --gid panel --home-dir /data --no-create-home --shell /usr/sbin/nologin panel \
 && install -d -m 0700 -o panel -g panel /data /data/secrets /data/database /data/redis /data/registry /data/registry-config
COPY --from=build /venv /venv
COPY --from=build /app /app
# `make image` fills them in.
ARG VERSION=unknown REVISION=unknown CREATED=unknown
LABEL org.opencontainers.image.title="Registry Manager" \
      org.opencontainers.image.description="A self-service web panel for a private Docker registry." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    ENVIRONMENT=production DATA_DIR=/data STATIC_DIR=/app/staticfiles
WORKDIR /app
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["python", "-c", \
  "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8000, timeout=4); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
CMD ["python", "-m", "manager.server", "web", "--host", "0.0.0.0", "--workers", "2"]
