// swift-tools-version: 6.2
// The package: one wire-format module, a language-free server core, the Python engine and the tools.
import PackageDescription

/// Settings every Swift target is compiled with. A warning is an error everywhere.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableExperimentalFeature("Lifetimes"),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]

let package = Package(
  name: "repltools",
  products: [
    .executable(name: "replserve", targets: ["replserve"]),
    .executable(name: "replctl", targets: ["replctl"]),
    .executable(name: "replcomplete", targets: ["replcomplete"]),
    .executable(name: "replconnect", targets: ["replconnect"]),
    .executable(name: "replssh", targets: ["replssh"]),
    .library(name: "replserve-python", type: .dynamic, targets: ["PythonEngine"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
  ],
  targets: [
    // Wire format, messages, endpoints, exit codes: bytes in, values out.
    .target(name: "Shared", swiftSettings: strict),

    // What must be C because it runs where Swift may not: a forked child, a signal handler.
    .target(name: "CProcessHooks"),

    // Listeners, connections, sessions. Knows an `Engine`, no language.
    .target(
      name: "ReplServer",
      dependencies: [
        "Shared", "CProcessHooks",
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: strict),

    // The stable-ABI prototypes of CPython that the engine uses, declared by hand.
    .systemLibrary(name: "CPython"),

    // Implements `Engine` over the CPython C API; its product is the extension module.
    .target(
      name: "PythonEngine",
      dependencies: [
        "Shared", "ReplServer", "CPython", "CProcessHooks",
        .product(name: "DequeModule", package: "swift-collections"),
      ],
      exclude: ["exports.map"],
      swiftSettings: strict),

    // The launcher: finds an interpreter and runs it with the server loaded.
    .target(
      name: "Launcher",
      dependencies: [
        "Shared",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),
    .executableTarget(name: "replserve", dependencies: ["Launcher"], swiftSettings: strict),

    // signalfd(2), which the Glibc module leaves out.
    .systemLibrary(name: "CSignalDescriptor"),

    // Blocking client over a file descriptor: find a server, connect, ask, stream.
    .target(
      name: "ReplClient",
      dependencies: ["Shared", "CSignalDescriptor", .product(name: "SystemPackage", package: "swift-system")],
      swiftSettings: strict),

    // What every tool can be told about the server it talks to.
    .target(
      name: "ClientOptions",
      dependencies: ["ReplClient", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      swiftSettings: strict),

    // replctl: what scripts ask of a server, a command each.
    .target(
      name: "ControlTool",
      dependencies: [
        "Shared", "ReplClient", "ClientOptions",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),
    .executableTarget(name: "replctl", dependencies: ["ControlTool"], swiftSettings: strict),

    // The completion of the tools' own command lines, at the Tab key of a shell.
    .target(name: "ShellCompletion", dependencies: ["Shared", "ReplClient"], swiftSettings: strict),

    // replcomplete: what an editor asks of a server, and what a shell asks about the tools.
    .target(
      name: "CompletionTool",
      dependencies: [
        "Shared", "ReplClient", "ClientOptions", "ShellCompletion", "ControlTool", "Launcher",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),
    .executableTarget(name: "replcomplete", dependencies: ["CompletionTool"], swiftSettings: strict),

    // GNU readline, which is under the GPL: nothing but replconnect may link it.
    .systemLibrary(name: "CReadline"),

    // replconnect: the prompt for people.
    .target(
      name: "TerminalClient",
      dependencies: [
        "Shared", "ReplClient", "ClientOptions", "CReadline",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),
    .executableTarget(name: "replconnect", dependencies: ["TerminalClient"], swiftSettings: strict),

    // What Linux gives a supervisor by functions that Swift cannot call.
    .systemLibrary(name: "CSupervision"),

    // replssh: the ssh door of a server, which sshd opens and a supervisor closes.
    .target(
      name: "SecureShell",
      dependencies: ["Shared", "ReplClient", "CSupervision", .product(name: "SystemPackage", package: "swift-system")],
      swiftSettings: strict),
    .executableTarget(name: "replssh", dependencies: ["SecureShell"], swiftSettings: strict),

    .testTarget(name: "SharedTests", dependencies: ["Shared"], swiftSettings: strict),
    .testTarget(
      name: "ReplServerTests",
      dependencies: [
        "Shared", "ReplServer", "CProcessHooks",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "LauncherTests",
      dependencies: ["Launcher", "Shared", .product(name: "SystemPackage", package: "swift-system")],
      swiftSettings: strict),
    // A server that says what a test wants it to.
    .target(
      name: "ClientTestSupport", dependencies: ["Shared"], path: "Tests/ClientTestSupport", swiftSettings: strict),
    .testTarget(
      name: "ReplClientTests", dependencies: ["ReplClient", "Shared", "ClientTestSupport"], swiftSettings: strict),
    .testTarget(
      name: "ControlToolTests",
      dependencies: [
        "ControlTool", "CompletionTool", "ReplClient", "Shared", "ClientTestSupport",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "TerminalClientTests",
      dependencies: [
        "TerminalClient", "ReplClient", "Shared", "ClientTestSupport",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "SecureShellTests", dependencies: ["SecureShell", "ReplClient", "Shared"], swiftSettings: strict),
    .testTarget(
      name: "ShellCompletionTests",
      dependencies: ["ShellCompletion", "CompletionTool", "ReplClient", "Shared", "ClientTestSupport"],
      swiftSettings: strict),
  ]
)
