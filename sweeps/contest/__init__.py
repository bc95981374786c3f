"""What ``sweeps.throughput`` measures: tasks, and their contestants, one file each."""
