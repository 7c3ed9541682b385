namespace Smae.Training.Tests;

/// <summary>
/// Files with weights, inputs and outputs of the published code: those of <c>tests/golden</c>, or of the folder that <c>SMAE_GOLDEN</c> names.
/// </summary>
internal static class Golden
{
    private static string Folder =>
        Environment.GetEnvironmentVariable("SMAE_GOLDEN") is { Length: > 0 } named ? named : Path.Combine(AppContext.BaseDirectory, "golden");

    /// <summary>
    /// The files whose header says that a test can use them. Where none does, one that is not there: the test fails on it, and says where it looked.
    /// </summary>
    public static IReadOnlyList<string> Files(Func<SafeTensorsFile, bool> usable)
    {
        string[] paths = [.. Directory.GetFiles(Folder, "*.safetensors").Order(StringComparer.Ordinal).Where(path => usable(SafeTensors.Open(path)))];
        return paths.Length > 0 ? paths : [Path.Combine(Folder, "(a file with what this test compares).safetensors")];
    }
}
