# The image of the house: the same pinned, hashed packages as `make setup`, without tests and tools.
# The classic builder builds it too, so nothing here needs BuildKit.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS packages
RUN python3 -m venv /opt/venv
COPY requirements/runtime.txt /tmp/runtime.txt
# A file that is not the one that was pinned ends the build. The list is complete, so pip need not resolve (older
# ones fail at extras, which the list does not name); `pip check` proves it.
RUN /opt/venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes \
      -r /tmp/runtime.txt \
    && /opt/venv/bin/python -m pip check

FROM ${BASE}
# A number, so that Kubernetes and volumes agree on who it is; fixed, because a volume remembers it.
RUN groupadd --gid 10001 eco \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/eco --shell /usr/sbin/nologin eco \
    && install -d -o eco -g eco -m 0700 /var/lib/eco
COPY --from=packages /opt/venv /opt/venv
WORKDIR /opt/eco
COPY pyproject.toml ./
COPY plugins plugins
COPY dags dags
COPY dbt_project dbt_project
COPY expectations expectations
COPY simulation simulation
COPY city city
COPY portal portal
# Editable, as `make setup` does it: the house looks for its folders beside the package. And readable: a clone that
# was made under umask 077 is not.
RUN chmod -R a+rX . \
    && /opt/venv/bin/python -m pip install -q --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation \
      -e . \
    && /opt/venv/bin/python -m compileall -q plugins
# The ledger names the code of each step; there is no git here.
ARG COMMIT=
ENV PATH=/opt/venv/bin:$PATH \
    ECO_HOME=/var/lib/eco \
    ECO_CITY=/opt/eco/city \
    ECO_COMMIT=${COMMIT} \
    TZ=Asia/Shanghai \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
VOLUME /var/lib/eco
ENTRYPOINT ["eco"]
CMD ["--help"]
