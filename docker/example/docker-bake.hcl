# ./with-secrets docker buildx bake --file docker-bake.hcl
# credlatch gives every target its secrets, and none stands here. Without --file, bake reads
# compose.yaml, too.

variable "REGISTRY" {
  default = "registry.example.com/base"
}

variable "IMAGE" {
  default = "app"
}

group "default" {
  targets = ["app"]
}

target "app" {
  name   = tool
  matrix = { tool = ["pip", "uv", "pixi"] }
  target = tool
  args   = { REGISTRY = REGISTRY }
  tags   = ["${IMAGE}:${tool}"]
}
