"""WeCom (企业微信), on wechatpy's `enterprise`: the self-built app for staff and 微信客服 (KF) for residents.

Nothing outside this folder knows how WeCom looks. This file imports nothing, so that an installation without WeCom pays for none of it.
"""
