"""Print the TCP ports of HOST that take a connection, all of 1 to 65535, one a line.

usage: open_ports.py HOST
"""

import errno
import selectors
import socket
import sys
import time

AT_ONCE = 1000
PATIENCE_S = 1.0  # a closed port refuses at once, a dropped packet is never answered


def open_ports(host, ports):
    selector = selectors.DefaultSelector()
    found = []
    for port in ports:
        connection = socket.socket()
        connection.setblocking(False)
        if connection.connect_ex((host, port)) in (0, errno.EINPROGRESS):
            selector.register(connection, selectors.EVENT_WRITE, port)
        else:
            connection.close()
    deadline = time.monotonic() + PATIENCE_S
    while selector.get_map() and time.monotonic() < deadline:
        for key, _ in selector.select(0.1):
            if key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                found.append(key.data)
            selector.unregister(key.fileobj)
            key.fileobj.close()
    for key in list(selector.get_map().values()):
        key.fileobj.close()
    return found


for first in range(1, 65536, AT_ONCE):
    for port in open_ports(sys.argv[1], range(first, min(first + AT_ONCE, 65536))):
        print(port)
