"""The daemons and clients that the tests of this folder share."""

from __future__ import annotations

from support.buildkit import buildctl, buildkitd, buildx, compose
from support.chromium import browser
from support.clients import buildah, buildkit, docker, helper, recorded, skopeo
from support.docker_api import lenient_daemon
from support.docker_folder import docker_folder, project
from support.docker_folder_images import base_images, glibc_image
from support.dockerd import dockerd, published, token_image
from support.fleet_round import machines
from support.git import git, git_server, repository
from support.guarded import guarded
from support.kubernetes import kubernetes, other_server
from support.oidc import sso
from support.openbao import bao
from support.rattler import rattler
from support.rattler_places import place
from support.registry import _token_registry, registry, s3_registry, token_registry
from support.s3_servers import minio, s3_server
from support.secret_service import secret_service
from support.uv import uv, uv_with_pyx

__all__ = [
    "_token_registry",
    "bao",
    "base_images",
    "browser",
    "buildah",
    "buildctl",
    "buildkit",
    "buildkitd",
    "buildx",
    "compose",
    "docker",
    "docker_folder",
    "dockerd",
    "git",
    "git_server",
    "glibc_image",
    "guarded",
    "helper",
    "kubernetes",
    "lenient_daemon",
    "machines",
    "minio",
    "other_server",
    "place",
    "project",
    "published",
    "rattler",
    "recorded",
    "registry",
    "repository",
    "s3_registry",
    "s3_server",
    "secret_service",
    "skopeo",
    "sso",
    "token_image",
    "token_registry",
    "uv",
    "uv_with_pyx",
]
