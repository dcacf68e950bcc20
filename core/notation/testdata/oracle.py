"""Reads lines of ExaBGP's API on standard input and prints for each what ExaBGP 4.2 would send: AFI/SAFI, the NLRI, the
extended communities (attributes 16 and 25) and the next hop, or `error` and the reason."""
import sys

from exabgp.configuration.setup import environment

environment.setup('')

from exabgp.reactor.api import API
from exabgp.reactor.api.command.limit import extract_neighbors
from exabgp.configuration.core.format import formated
from exabgp.bgp.message.update.attribute import Attribute
from exabgp.protocol.ip import NoNextHop


class Quiet(object):
    def __getattr__(self, name):
        return lambda *args, **kwargs: None


def answer(line):
    api = API(None)
    api.logger = Quiet()
    _, command = extract_neighbors(formated(line))
    if command.split(' ')[:2] not in (['announce', 'flow'], ['withdraw', 'flow']):
        return 'error not a command about flows'
    changes = api.api_flow(command)
    if not changes:
        return 'error ' + str(api.configuration.error).replace('\n', ' ')
    if len(changes) != 1:
        return 'error %d changes' % len(changes)
    change = changes[0]
    afi, safi = int(change.nlri.afi), int(change.nlri.safi)
    words = ['%d/%d' % (afi, safi), change.nlri.pack_nlri().hex()]
    for code in (Attribute.CODE.EXTENDED_COMMUNITY, Attribute.CODE.IPV6_EXTENDED_COMMUNITY):
        if code in change.attributes:
            for community in change.attributes[code].communities:
                words.append(community.community.hex())
    if change.nlri.nexthop is not NoNextHop and change.nlri.nexthop:
        words.append('nh=%s' % change.nlri.nexthop)
    return ' '.join(words)


for line in sys.stdin:
    line = line.rstrip('\n')
    try:
        print('> ' + answer(line))
    except Exception as exc:
        print('> error %s %s' % (type(exc).__name__, str(exc).replace('\n', ' ')))
    sys.stdout.flush()
