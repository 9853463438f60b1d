"""AWS on the laptop: moto's services under a CloudFormation executor and a SageMaker hosting emulator of our own."""
