class Credlatch < Formula
  desc "@SUMMARY@"
  homepage "@HOMEPAGE@"
  version "@VERSION@"
  license "@LICENSE@"

  @FILES@

  def install
    man1.install "credlatch.1"
    man1.install_symlink "credlatch.1" => "docker-credential-credlatch.1"
    libexec.install Dir["*"]
    bin.install_symlink libexec/"credlatch", libexec/"docker-credential-credlatch"
  end

  test do
    assert_match "credlatch #{version}", shell_output("#{bin}/credlatch --version")
    (testpath/"netrc").write "machine built.example login who password p\n"
    (testpath/"netrc").chmod 0600
    ENV["NETRC"] = testpath/"netrc"
    ENV["CREDLATCH_AGENT"] = "off"
    asked = "https://built.example/simple/"
    assert_match "Basic d2hvOnA=", pipe_output("#{bin}/credlatch get", "{\"uri\":\"#{asked}\"}")
  end
end
