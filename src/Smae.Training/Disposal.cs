namespace Smae.Training;

/// <summary>What has just been made is not lost where the next thing fails. Smae.MLNet compiles this file too.</summary>
internal static class Disposal
{
    /// <summary>Does something with what has just been made, and disposes it if that fails.</summary>
    public static TResult OrDispose<T, TResult>(this T made, Func<T, TResult> work) where T : IDisposable
    {
        try
        {
            return work(made);
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    /// <inheritdoc cref="OrDispose{T, TResult}"/>
    public static T OrDispose<T>(this T made, Action<T> work) where T : IDisposable => made.OrDispose(it =>
    {
        work(it);
        return it;
    });
}
