"""Uploads over HTTP: the server with its form, receipts and row-by-row answers."""

from __future__ import annotations

import ipaddress
import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)

_MEGABYTE = 1 << 20


@app.callback()
def _group() -> None:
    """Uploads over HTTP."""


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8090,
    certificate: Annotated[Path | None, typer.Option(help="PEM with the certificate chain.")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM with its private key.")] = None,
    behind_proxy: Annotated[bool, typer.Option(help="A proxy before it speaks TLS.")] = False,
    limit: Annotated[int, typer.Option(help="Longest file in MB.", min=1)] = 50,
) -> None:
    """Serve until stopped. A login is a department's key with the secret `upload.<department>`."""
    import uvicorn

    from ecowarehouse.settings import Settings
    from ecowarehouse.uploads.server import application

    if not (certificate or behind_proxy or _is_loopback(host)):
        raise typer.BadParameter(
            "tokens would cross the network in the clear: give --certificate and --key, or --behind-proxy"
        )
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    uvicorn.run(
        application(Settings.load(), limit=limit * _MEGABYTE),
        host=host,
        port=port,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        proxy_headers=behind_proxy,
        server_header=False,
        log_config=None,
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
