"""A department's SFTP server over a folder, with one user and a host key of its own."""

from __future__ import annotations

import asyncio
import hmac
import logging
import threading
from pathlib import Path

import asyncssh

USER = "guiping"


class Sftp:
    """Serves a folder, read only in effect: what is put there comes from `folders`."""

    def __init__(self, root: Path, key_file: Path, password: str) -> None:
        self._root = root
        self._password = password
        if not key_file.exists():
            asyncssh.generate_private_key("ssh-ed25519").write_private_key(key_file)
            key_file.chmod(0o600)
        self._key = asyncssh.read_private_key(key_file)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        logging.getLogger("asyncssh").setLevel(logging.WARNING)

    @property
    def host_key(self) -> str:
        """The public key by which a client knows this server, as in a known_hosts file."""
        return self._key.export_public_key().decode().strip()

    def start(self) -> int:
        """Serve in a thread; returns the port."""
        self._thread.start()
        return asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(30)

    def stop(self) -> None:
        """Stop serving."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _listen(self) -> int:
        password, root = self._password, str(self._root)

        class Users(asyncssh.SSHServer):
            def begin_auth(self, username: str) -> bool:  # noqa: ARG002
                return True

            def password_auth_supported(self) -> bool:
                return True

            def validate_password(self, username: str, password_given: str) -> bool:
                return username == USER and hmac.compare_digest(password_given, password)

        def files(channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
            return asyncssh.SFTPServer(channel, chroot=root.encode())

        self._server = await asyncssh.create_server(
            Users, "127.0.0.1", 0, server_host_keys=[self._key], sftp_factory=files, allow_scp=False
        )
        return int(self._server.get_port())

    async def _close(self) -> None:
        self._server.close()
        await self._server.wait_closed()
