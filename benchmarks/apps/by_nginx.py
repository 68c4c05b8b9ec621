"""nginx, with what of the works it can do without a program behind it.

``by_nginx PORT PLACE [--cert C --key K] [--workers N]`` becomes nginx, which reads its
configuration from memory; PLACE is a folder for what it serves and writes.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from benchmarks.apps.content import big

_CONFIGURATION = """
daemon off;
pid {place}/pid;
error_log stderr error;
worker_processes {workers};
{user}
events {{ worker_connections 4096; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  default_type application/octet-stream;
  client_max_body_size 8m;
  client_body_buffer_size 8m;
  client_body_temp_path {place}/body;
  proxy_temp_path {place}/proxy;
  fastcgi_temp_path {place}/fastcgi;
  uwsgi_temp_path {place}/uwsgi;
  scgi_temp_path {place}/scgi;
  server {{
    listen 127.0.0.1:{port} {secure};
    {certificate}
    root {place};
    location = / {{ default_type text/plain; return 200 "Hello, World!"; }}
    location = /json {{
      default_type application/json;
      return 200 '{{"message":"Hello, World!"}}';
    }}
    location = /file {{ alias {file}; }}
    location = /big {{ }}
    # It takes the content only on behalf of somebody, and would else answer at once:
    # nobody may be asked on the side, and then there is only its length to be told.
    location = /upload {{
      mirror /nobody;
      alias {place}/big;
      error_page 405 =200 @length;
    }}
    location = /nobody {{ internal; return 204; }}
    location @length {{ default_type text/plain; return 200 $content_length; }}
  }}
}}
"""


def main() -> None:
    """Become nginx."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("place", type=Path)
    # Relative ones would be beside the configuration.
    parser.add_argument("--cert", type=os.path.abspath)
    parser.add_argument("--key", type=os.path.abspath)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    place = options.place
    place.mkdir(parents=True, exist_ok=True)
    (place / "big").write_bytes(big())
    secure = bool(options.cert)
    text = _CONFIGURATION.format(
        place=place,
        workers=options.workers,
        # Workers that give up being root could not read the files.
        user="user root root;" if os.getuid() == 0 else "",
        port=options.port,
        secure="ssl http2" if secure else "",
        certificate=_CERTIFICATE.format(options) if secure else "",
        file=os.environ.get("BENCHMARK_FILE", place / "big"),
    )
    configuration = os.memfd_create("nginx.conf", 0)
    os.write(configuration, text.encode())
    os.lseek(configuration, 0, os.SEEK_SET)
    where = f"/proc/self/fd/{configuration}"
    os.execvp("nginx", ["nginx", "-e", "stderr", "-c", where])  # noqa: S606  # no shell


# Some versions do not offer TLS 1.3 unasked.
_CERTIFICATE = """
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate {0.cert};
    ssl_certificate_key {0.key};
"""


if __name__ == "__main__":
    main()
