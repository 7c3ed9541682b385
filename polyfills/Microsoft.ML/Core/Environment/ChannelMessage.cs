namespace Microsoft.ML.Runtime;

/// <summary>A log message.</summary>
public readonly struct ChannelMessage
{
    public readonly ChannelMessageKind Kind;
    public readonly MessageSensitivity Sensitivity;

    private readonly string _format;
    private readonly object[] _args;

    internal ChannelMessage(ChannelMessageKind kind, MessageSensitivity sensitivity, string message)
    {
        Contracts.CheckNonEmpty(message, nameof(message));
        Kind = kind;
        Sensitivity = sensitivity;
        _format = message;
    }

    internal ChannelMessage(ChannelMessageKind kind, MessageSensitivity sensitivity, string fmt, params object[] args)
    {
        Contracts.CheckNonEmpty(fmt, nameof(fmt));
        Contracts.CheckNonEmpty(null, args, nameof(args));
        Kind = kind;
        Sensitivity = sensitivity;
        _format = fmt;
        _args = args;
    }

    public string Message => _args != null ? string.Format(_format, _args) : _format;
}
