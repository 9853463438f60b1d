"""A fleet of instances behind one SageMaker endpoint: arrivals, routing, time-outs, and Application Auto Scaling."""
