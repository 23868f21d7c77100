"""The benchmark: CPU time of the server per operation, and of a peer on Node in the same run (`python -m bench`).

load.py the process that sends the requests · contestant.py a server that is measured, whoever made it · ours.py and
node_peer.py start one · flow.py the parameters of the code flow · trial.py what is asked of one contestant ·
operations.py what of that is measured, and the targets · cost.py what this machine's signatures and cold starts cost ·
report.py tables, ratios, targets. Linux alone: other processes' CPU clocks are read.
"""
