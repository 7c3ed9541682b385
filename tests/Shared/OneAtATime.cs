namespace Smae.Tests;

/// <summary>
/// <c>dotnet test</c> starts several test programs at once. Each of ours computes on all processors, and two of them together take many times as long as
/// one after the other: a program begins when the one before it has ended.
/// </summary>
[TestClass]
public static class OneAtATime
{
    private static FileStream? s_turn;   // held until this process ends

    [AssemblyInitialize]
    public static void Wait(TestContext context)
    {
        string path = Path.Combine(Path.GetTempPath(), $"smae-tests-{Environment.UserName}.lock");
        while (s_turn is null)
        {
            try
            {
                s_turn = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                context.CancellationToken.ThrowIfCancellationRequested();
                Thread.Sleep(200);
            }
        }
    }
}
