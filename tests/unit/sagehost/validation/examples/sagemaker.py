"""SageMaker."""

from typing import Any

from tests.unit.sagehost.validation.examples import Cases, Json, of

EXAMPLES: Cases = {}

IMAGE: Json = {"Image": "$image"}
MODEL: Json = {"ModelName": "new", "ExecutionRoleArn": "$role", "PrimaryContainer": IMAGE}
SOURCE: Json = {
    "S3Uri": "s3://open-$account/model/",
    "S3DataType": "S3Prefix",
    "CompressionType": "None",
}


def _container(**more: Any) -> Json:
    return {"PrimaryContainer": {**IMAGE, **more}}


def _stored(**changes: str) -> Json:
    return _container(ModelDataSource={"S3DataSource": {**SOURCE, **changes}})


def _network(*subnets: str) -> Json:
    return {"VpcConfig": {"Subnets": list(subnets), "SecurityGroupIds": ["$group"]}}


ELSEWHERE = "763104351884.dkr.ecr.eu-west-1.amazonaws.com/tgi:1"
VPC_ACCESS: Json = {"Image": "example.com/tgi:1", "ImageConfig": {"RepositoryAccessMode": "Vpc"}}
EXAMPLES |= of(
    "CreateModel",
    MODEL,
    {
        "model exists": ({"ModelName": "model"}, {"ModelName": "model-2"}),
        "role does not exist": ({"ExecutionRoleArn": "arn:aws:iam::$account:role/none"}, {}),
        "image outside ECR": (_container(Image="example.com/tgi:1"), _container(**VPC_ACCESS)),
        "image of another region": (_container(Image=ELSEWHERE), {}),
        "image that is not in its repository": (
            _container(Image="$account.dkr.ecr.us-east-1.amazonaws.com/tgi:1"),
            _container(Image="$account.dkr.ecr.us-east-1.amazonaws.com/other-tgi:1"),
        ),
        "compression of another data type": (_stored(S3DataType="S3Object"), _stored()),
        "prefix without slash": (_stored(S3Uri="s3://open-$account/model"), _stored()),
        "data that is not there": (_stored(S3Uri="s3://open-$account/none/"), _stored()),
        "no container": ({"PrimaryContainer": None}, {"PrimaryContainer": None, "Containers": [IMAGE]}),
        "two kinds of containers": ({"Containers": [IMAGE]}, {}),
        "container without image": ({"PrimaryContainer": {"ModelDataUrl": "s3://open-$account/model/weights"}}, {}),
        "two places of data": (
            _container(ModelDataUrl="s3://open-$account/model/weights", ModelDataSource={"S3DataSource": SOURCE}),
            _container(ModelDataUrl="s3://open-$account/model/weights"),
        ),
        "multi-model with data source": (
            _container(Mode="MultiModel", ModelDataSource={"S3DataSource": SOURCE}),
            _container(Mode="SingleModel", ModelDataSource={"S3DataSource": SOURCE}),
        ),
        "unknown subnet": (_network("subnet-00000000"), _network("$subnet")),
        "unknown group": (
            {"VpcConfig": {"Subnets": ["$subnet"], "SecurityGroupIds": ["sg-00000000"]}},
            _network("$subnet"),
        ),
        "two VPCs": (_network("$other_subnet"), _network("$subnet", "$full")),
        "reserved tag": ({"Tags": [{"Key": "aws:x", "Value": "1"}]}, {"Tags": [{"Key": "x", "Value": "1"}]}),
    },
)

VARIANT: Json = {
    "VariantName": "main",
    "ModelName": "model",
    "InstanceType": "ml.g5.2xlarge",
    "InitialInstanceCount": 1,
}
CONFIG: Json = {"EndpointConfigName": "new", "ProductionVariants": [VARIANT]}
KEY: Json = {"KmsKeyId": "alias/x"}


def _variant(**changes: Any) -> Json:
    return {"ProductionVariants": [{name: one for name, one in {**VARIANT, **changes}.items() if one is not None}]}


def _component(low: int, **more: Any) -> Json:
    scaling = {"Status": "ENABLED", "MinInstanceCount": low, "MaxInstanceCount": 2}
    return {**_variant(ModelName=None, ManagedInstanceScaling=scaling), "ExecutionRoleArn": "$role", **more}


SERVERLESS: Json = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
EXAMPLES |= of(
    "CreateEndpointConfig",
    CONFIG,
    {
        "configuration exists": ({"EndpointConfigName": "config"}, {}),
        "unknown model": (_variant(ModelName="none"), {}),
        "managed scaling of a model": (
            _variant(ManagedInstanceScaling={"Status": "ENABLED"}),
            _component(1),
        ),
        "key with local storage": (KEY, {**KEY, **_variant(InstanceType="ml.m5.large")}),
        "volume with local storage": (
            _variant(VolumeSizeInGB=10),
            _variant(VolumeSizeInGB=10, InstanceType="ml.m5.large"),
        ),
        "two variants of a name": (
            {"ProductionVariants": [VARIANT, VARIANT]},
            {"ProductionVariants": [VARIANT, {**VARIANT, "VariantName": "second"}]},
        ),
        "no instances": (_variant(InitialInstanceCount=None), {}),
        "serverless with instances": (
            _variant(ServerlessConfig=SERVERLESS),
            _variant(ServerlessConfig=SERVERLESS, InstanceType=None, InitialInstanceCount=None),
        ),
        "instance pools": (_variant(InstancePools=[{"InstanceType": "ml.g5.2xlarge", "Priority": 1}]), {}),
        "component without role": (_component(1, ExecutionRoleArn=None), _component(1)),
        "minimum above maximum": (_component(3), _component(2)),
    },
)

CREATE: Json = {"EndpointName": "new", "EndpointConfigName": "config"}
UPDATE: Json = {"EndpointName": "endpoint", "EndpointConfigName": "config"}


def _deploy(**policy: Any) -> Json:
    return {"DeploymentConfig": policy}


def _percent(value: int) -> Json:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def _blue_green(seconds: int = 600, **routing: Any) -> Json:
    traffic = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 300, **routing}
    limit = {"MaximumExecutionTimeoutInSeconds": seconds, "TerminationWaitInSeconds": 200}
    return _deploy(BlueGreenUpdatePolicy={"TrafficRoutingConfiguration": traffic, **limit})


def _rolling(percent: int) -> Json:
    return _deploy(RollingUpdatePolicy={"MaximumBatchSize": _percent(percent), "WaitIntervalInSeconds": 60})


def _alarms(name: str) -> Json:
    return _deploy(AutoRollbackConfiguration={"Alarms": [{"AlarmName": name}]})


BOTH = _deploy(**_rolling(50)["DeploymentConfig"], **_blue_green()["DeploymentConfig"])
WEIGHT: Json = {"VariantName": "main", "DesiredInstanceCount": 1}
RETAIN: Json = {"RetainAllVariantProperties": True}
EXAMPLES |= {
    "endpoint exists": ("CreateEndpoint", CREATE, {"EndpointName": "Endpoint"}, {}),
    "unknown configuration": ("CreateEndpoint", CREATE, {"EndpointConfigName": "none"}, {}),
    "variant without instances": ("CreateEndpoint", CREATE, {"EndpointConfigName": "serverless"}, {}),
    "model gone": ("UpdateEndpoint", UPDATE, {"EndpointConfigName": "without-model"}, {}),
    "subnet gone": ("CreateEndpoint", CREATE, {"EndpointConfigName": "without-subnet"}, {}),
    "unknown endpoint": ("DeleteEndpoint", {}, {"EndpointName": "none"}, {"EndpointName": "failed"}),
    "endpoint in progress": ("DeleteEndpoint", {}, {"EndpointName": "creating"}, {"EndpointName": "endpoint"}),
    "failed endpoint": ("UpdateEndpoint", UPDATE, {"EndpointName": "failed"}, {}),
    "current configuration gone": ("UpdateEndpoint", UPDATE, {"EndpointName": "of-gone-config"}, {}),
    "type of a scaled variant": (
        "UpdateEndpoint",
        UPDATE,
        {"EndpointName": "scaled", "EndpointConfigName": "larger"},
        {"EndpointConfigName": "larger"},
    ),
    "capture not retained": (
        "UpdateEndpoint",
        UPDATE,
        {**RETAIN, "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DataCaptureConfig"}]},
        {**RETAIN, "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredWeight"}]},
    ),
    "caller may not deregister": (
        "DeleteEndpoint",
        {"EndpointName": "scaled"},
        {"_by": "$access_key"},
        {},
    ),
    "weight of an unknown variant": (
        "UpdateEndpointWeightsAndCapacities",
        {"EndpointName": "endpoint"},
        {"DesiredWeightsAndCapacities": [{**WEIGHT, "VariantName": "none"}]},
        {"DesiredWeightsAndCapacities": [WEIGHT]},
    ),
    "no instance": (
        "UpdateEndpointWeightsAndCapacities",
        {"EndpointName": "endpoint"},
        {"DesiredWeightsAndCapacities": [{**WEIGHT, "DesiredInstanceCount": 0}]},
        {"DesiredWeightsAndCapacities": [WEIGHT]},
    ),
    "two update policies": ("UpdateEndpoint", UPDATE, BOTH, _blue_green()),
    "canary without size": (
        "UpdateEndpoint",
        UPDATE,
        _blue_green(Type="CANARY"),
        _blue_green(Type="CANARY", CanarySize=_percent(50)),
    ),
    "canary too large": (
        "UpdateEndpoint",
        UPDATE,
        _blue_green(Type="CANARY", CanarySize=_percent(51)),
        _blue_green(Type="CANARY", CanarySize=_percent(50)),
    ),
    "linear step too small": (
        "UpdateEndpoint",
        UPDATE,
        _blue_green(Type="LINEAR", LinearStepSize=_percent(9)),
        _blue_green(Type="LINEAR", LinearStepSize=_percent(10)),
    ),
    "rolling batch too large": ("UpdateEndpoint", UPDATE, _rolling(51), _rolling(50)),
    "rolling with one instance": (
        "UpdateEndpoint",
        UPDATE,
        {**_rolling(50), "EndpointConfigName": "one"},
        _rolling(50),
    ),
    "time for less than the waits": ("UpdateEndpoint", UPDATE, _blue_green(500), _blue_green(501)),
    "unknown alarm": ("UpdateEndpoint", UPDATE, _alarms("none"), _alarms("errors")),
}
