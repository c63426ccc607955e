"""Runs the program."""

def _command_impl(ctx):
    name = ctx.label.name
    if ctx.file.program.extension == "exe":
        name += ".exe"
    runs = ctx.actions.declare_file(name)
    ctx.actions.symlink(output = runs, target_file = ctx.file.program, is_executable = True)
    return [DefaultInfo(executable = runs)]

credlatch_command = rule(
    doc = "What `bazel run` starts: the program, with the target's `args`.",
    implementation = _command_impl,
    attrs = {
        "program": attr.label(
            doc = "The single file, as a release has it.",
            allow_single_file = True,
            mandatory = True,
        ),
    },
    executable = True,
)
