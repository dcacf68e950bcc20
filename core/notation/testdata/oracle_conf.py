"""Reads a configuration file of ExaBGP and prints the family and the NLRI of every FlowSpec rule that its neighbors announce."""
import sys

from exabgp.configuration.setup import environment

environment.setup('')

from exabgp.configuration.configuration import Configuration

configuration = Configuration([sys.argv[1]])
if configuration.reload() is not True:
    sys.exit(str(configuration.error))
for name in sorted(configuration.neighbors):
    for change in configuration.neighbors[name].changes:
        afi, safi = int(change.nlri.afi), int(change.nlri.safi)
        if safi in (133, 134):
            print('> %d/%d %s' % (afi, safi, change.nlri.pack_nlri().hex()))
