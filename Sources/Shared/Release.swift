// The release: which one this is.

public enum Release {
  /// The version of repltools, by semver.org.
  public static let version = "0.1.0"
}
