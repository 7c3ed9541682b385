namespace Microsoft.ML.Runtime;

/// <summary>A named exception context.</summary>
internal abstract class ChannelProviderBase : IExceptionContext
{
    protected ChannelProviderBase(string shortName, string parentFullName, bool verbose)
    {
        ShortName = string.IsNullOrEmpty(shortName) ? null : shortName;
        ParentFullName = string.IsNullOrEmpty(parentFullName) ? null : parentFullName;
        FullName = ParentFullName == null ? ShortName : $"{ParentFullName}; {ShortName}";
        Verbose = verbose;
    }

    public string ShortName { get; }

    public string ParentFullName { get; }

    public string FullName { get; }

    public bool Verbose { get; }

    public virtual string ContextDescription => FullName;

    public virtual TException Process<TException>(TException ex)
        where TException : Exception
    {
        if (ex != null)
            Tag(ex, ShortName, ParentFullName);
        return ex;
    }

    protected static void Tag(Exception ex, string component, string parent, string phase = null)
    {
        ex.Data["Throwing component"] = component;
        ex.Data["Parent component"] = parent;
        if (phase != null)
            ex.Data["Phase"] = phase;
        Contracts.Mark(ex);
    }
}
