using Microsoft.ML.Runtime;

namespace Smae.MLNet.Tests;

/// <summary>Keeps the messages that an <see cref="MLContext"/> logs.</summary>
internal sealed class LogRecorder
{
    private readonly List<(ChannelMessageKind Kind, string Message)> _messages = [];

    public LogRecorder(MLContext ml) => ml.Log += (_, e) =>
    {
        lock (_messages)
            _messages.Add((e.Kind, e.RawMessage));
    };

    public List<string> Warnings => Of(ChannelMessageKind.Warning);

    public List<string> Infos => Of(ChannelMessageKind.Info);

    private List<string> Of(ChannelMessageKind kind)
    {
        lock (_messages)
            return [.. _messages.Where(message => message.Kind == kind).Select(message => message.Message)];
    }
}
