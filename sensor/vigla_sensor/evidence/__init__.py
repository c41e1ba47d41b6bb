"""Evidence: what may leave the box of a capture, and how it is looked at.

The only place of the sensor that uses scapy and pyshark. Nothing here runs while the sensor senses: both libraries are
slow and heavy, so they are imported by the commands that need them and by nothing else.
"""
